"""Rungs of successive halving in the ledger: ``trials/<category>/<key>/rungs/<step>.json``.

A trial's score at a rung stays with the trial, and so does what was decided there: a trial that
is resumed, on another node or in another sweep, is judged once. No process holds a table of
scores that would be lost with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from memseg.errors import StorageError
from orchestrator.ledger.ledger import Ledger
from orchestrator.ledger.listing import keys_with
from orchestrator.planning.halving import Halving, goes_on

_READERS = 8


@dataclass(frozen=True)
class Judged:
    """What was decided about a trial at a rung."""

    step: int
    score: float
    goes_on: bool
    among: int
    """Trials of its category that had come to this rung, itself included."""


def judge(
    ledger: Ledger,
    category: str,
    key: str,
    step: int,
    score: float,
    rivals: Iterable[str],
    halving: Halving,
) -> Judged:
    """Decides once whether a trial goes on from a rung, and keeps the decision.

    ``rivals``: keys of the category's trials that it is compared with. Two that come at the same
    moment may each miss the other: then one more goes on than would have. Raises StorageError.
    """
    known = judged(ledger, category, key, step)
    if known is not None:
        return known
    # One listing: an object store would be asked twice for each rival that is not there yet.
    others = keys_with(ledger.workspace, category, (_name(step),)) & set(rivals) - {key}
    with ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(lambda rival: judged(ledger, category, rival, step), sorted(others))
    earlier = [other.score for other in found if other is not None]
    decided = Judged(step, score, goes_on(score, earlier, halving.reduction), len(earlier) + 1)
    ledger.trial_folder(category, key).write_json(
        _name(step),
        {"category": category, "key": key, **vars(decided)},
    )
    return decided


def judged(ledger: Ledger, category: str, key: str, step: int) -> Judged | None:
    """What was decided at a rung; None where the trial has not come there. Raises StorageError."""
    folder = ledger.trial_folder(category, key)
    found = folder.read_json(_name(step))
    if found is None:
        return None
    try:
        return Judged(
            int(found["step"]), float(found["score"]), bool(found["goes_on"]), int(found["among"])
        )
    except (KeyError, TypeError, ValueError) as error:
        where = folder.at(_name(step))
        raise StorageError(f"{where} does not hold a rung: delete it and run again") from error


def _name(step: int) -> str:
    return f"rungs/{step:08d}.json"
