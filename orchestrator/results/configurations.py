"""Trials of one experiment put together by configuration. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.results.files import Experiment

Trial = Mapping[str, Any]


@dataclass(frozen=True)
class Configuration:
    """One configuration of one category; its trials differ in the seed only."""

    label: str
    category: str
    trials: tuple[Trial, ...]

    def figures(self, name: str) -> list[float]:
        """A metric of each seed that has it."""
        found = (trial["metrics"].get(name) for trial in self.trials)
        return [value for value in found if value is not None]


def configurations(experiment: Experiment) -> tuple[Configuration, ...]:
    """In the order of ``labels``, then of labels by name; categories by name within."""
    by_category: dict[str, list[Trial]] = {}
    for trial in experiment.trials:
        by_category.setdefault(trial["category"], []).append(trial)
    groups: dict[tuple[str, str], list[Trial]] = {}
    for category, trials in by_category.items():
        differing = _differing(trials)
        for trial in trials:
            label = _label(trial, experiment.labels, differing)
            groups.setdefault((label, category), []).append(trial)
    order = {label: place for place, label in enumerate(experiment.labels)}
    return tuple(
        Configuration(label, category, tuple(sorted(trials, key=lambda t: int(t["seed"]))))
        for (label, category), trials in sorted(
            groups.items(), key=lambda item: (order.get(item[0][0], len(order)), *item[0])
        )
    )


def settings_text(trial: Trial, names: Sequence[str]) -> str:
    """ "name value, name value" of some settings of a trial; "-" for none."""
    settings = trial["settings"]
    return ", ".join(f"{name} {_value(settings.get(name))}" for name in names) or "-"


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None] | None:
    """Mean and, of two or more, the sample standard deviation; None of none."""
    if not values:
        return None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def _differing(trials: Sequence[Trial]) -> list[str]:
    names = {name: None for trial in trials for name in trial["settings"]}
    return [
        name for name in names if len({repr(trial["settings"].get(name)) for trial in trials}) > 1
    ]


def _label(trial: Trial, labels: Mapping[str, Mapping[str, Any]], differing: Sequence[str]) -> str:
    settings = trial["settings"]
    for label, wanted in labels.items():
        if all(settings.get(name) == value for name, value in wanted.items()):
            return label
    return settings_text(trial, differing)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "-".join(map(_value, value)) if isinstance(value, list) else str(value)
