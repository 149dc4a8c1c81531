"""plan.json of a long plan without a tree of all its values in memory. Pure."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Trial

_NO_TRIALS = '\n "trials": []'
_OWN = ("key", "seed", "training_key")
"""What seeds of one point differ in."""


def plan_bytes(plan: Plan) -> bytes:
    """What ``Folder.write_json`` writes of ``Plan.to_json``, byte for byte.

    What the seeds of a point have in common, nearly all of it, becomes text once for all of them.
    """
    text = _indented(replace(plan, trials=()).to_json(), 0) + "\n"
    if not plan.trials:
        return text.encode()
    # A line that begins with one space is a name of the outermost object: there is one.
    before, _, after = text.partition(_NO_TRIALS)
    data = io.BytesIO()
    data.write(f'{before}\n "trials": ['.encode())
    for number, part in enumerate(_trials(plan)):
        data.write(f"{',' if number else ''}\n  {part}".encode())
    data.write(f"\n ]{after}".encode())
    return data.getvalue()


def _trials(plan: Plan) -> Iterator[str]:
    parts: list[str] = []
    first: Trial | None = None
    for trial in plan.trials:
        if first is None or not _same_point(trial, first):
            first, parts = trial, _parts(trial)
        own = (trial.key, trial.seed, trial.training_key)
        filled = (f'"{name}": {json.dumps(value)}' for name, value in zip(_OWN, own))
        yield "".join(text for pair in zip(parts, (*filled, "")) for text in pair)


def _same_point(trial: Trial, other: Trial) -> bool:
    return (
        trial.method is other.method
        and trial.grid is other.grid
        and trial.inputs is other.inputs
        and trial.category == other.category
    )


def _parts(trial: Trial) -> list[str]:
    """The trial's text around its own values."""
    text = _indented({**trial.to_json(), **dict.fromkeys(_OWN, "")}, 2)
    parts = []
    for name in _OWN:  # sorted, as in the text, where no other name or value looks like this
        before, _, text = text.partition(f'"{name}": ""')
        parts.append(before)
    return [*parts, text]


def _indented(value: Mapping[str, Any], depth: int) -> str:
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.replace("\n", "\n" + " " * depth)  # JSON's strings hold no line breaks
