"""Settings of an experiment that are not preset paper's. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from memseg.config import MethodConfig, resolve
from orchestrator.aggregation.conditions import Condition
from orchestrator.planning.trial import default_settings
from orchestrator.reproduce.experiment import Part

_SAID_ELSEWHERE = ("training.max_steps", "training.precision", "evaluation.aupro_limit")
_OF_THRESHOLDS = ("evaluation.false_positive_rate", "evaluation.pixel_false_positive_rate")
_OF_VALIDATION = (
    "validation.anomalies", "validation.contrast", "validation.shape_size", "validation.turned",
    "validation.turned_size", "validation.place",
)  # fmt: skip
"""Of synthetic validation, which no AUROC depends on unless it chooses the reported step."""

_OF_SIMULATION = ("image.", "foreground.", "simulation.")
"""How the names of settings begin that matter where nothing is trained."""

_OF_HELD_OUT = ("validation.held_out_least", "validation.held_out_most")
"""Mean nothing where nothing is held out."""


def changed_settings(part: Part) -> Iterator[Condition]:
    """Settings that differ from preset paper's, but for those that a row sets itself."""
    ours: dict[str, dict[Any, None]] = {}
    papers: dict[str, dict[Any, None]] = {}
    for row in part.experiment.rows:
        untold = {*_SAID_ELSEWHERE, *_OF_THRESHOLDS, *row.settings}
        for category, trials in part.trials[row.name].items():
            method, paper = trials[0].method, resolve("paper", category).by_name
            idle = _idle(method)
            for name, value in method.by_name.items():
                if not part.experiment.trains and not name.startswith(_OF_SIMULATION):
                    continue
                if value != paper[name] and name not in untold and name not in idle:
                    ours.setdefault(name, {})[value] = None
                    papers.setdefault(name, {})[paper[name]] = None
    if not ours:
        yield Condition("all other settings are those of preset paper")
        return
    listed = "; ".join(f"{n} {_either(ours[n])} (there {_either(papers[n])})" for n in _order(ours))
    yield Condition(f"not as in preset paper: {listed}", True)


def _idle(method: MethodConfig) -> set[str]:
    """Settings without an effect on any AUROC, as the others are."""
    held_out, chooser = method.validation.held_out_share, method.training.reported_step
    return {
        *(() if held_out else _OF_HELD_OUT),
        *(() if chooser == "validation" else _OF_VALIDATION),
        *(("training.judged_every",) if chooser == "last" else ()),
    }


def _order(names: Mapping[str, Any]) -> list[str]:
    return [name for name in default_settings() if name in names]


def _either(values: Mapping[Any, None]) -> str:
    return " or ".join(dict.fromkeys(_shown(value) for value in values))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
