"""Trials of one experiment put together by configuration. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.results.files import Experiment

Trial = Mapping[str, Any]

_CONTENTS = {"training images": "train_fingerprint", "test images": "test_fingerprint"}
_BESIDE = ": "
"""Between a label and what tells apart the configurations that it fits."""


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
        names = differing(trials)
        for trial in trials:
            label = _label(trial, experiment.labels, names)
            groups.setdefault((label, category), []).append(trial)
    groups = {key: group for place in groups.items() for key, group in _split(*place)}
    order = list(experiment.labels)

    def place_of(text: str) -> int:
        found = (i for i, name in enumerate(order) if f"{text}{_BESIDE}".startswith(name + _BESIDE))
        return next(found, len(order))

    return tuple(
        Configuration(label, category, tuple(sorted(trials, key=lambda t: int(t["seed"]))))
        for (label, category), trials in sorted(
            groups.items(), key=lambda item: (place_of(item[0][0]), *item[0])
        )
    )


def label_alone(text: str) -> str:
    """A configuration's label without what tells it apart from others that the label fits."""
    return text.partition(_BESIDE)[0]


def settings_text(trial: Trial, names: Sequence[str]) -> str:
    """ "name value, name value" of some settings of a trial; "-" for none."""
    return told(traits(trial), names)


def told(values: Mapping[str, Any], names: Sequence[str]) -> str:
    """ "name value, name value" of some of ``values``; "-" for none."""
    return ", ".join(f"{name} {_value(values.get(name))}" for name in names) or "-"


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None] | None:
    """Mean and, of two or more, the sample standard deviation; None of none."""
    if not values:
        return None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def traits(trial: Trial) -> dict[str, Any]:
    """All that makes a configuration, by name: settings, method version, weights, images."""
    return {
        **trial["settings"],
        "method version": trial["method_version"],
        "encoder weights": trial["encoder_weights"][:19],
        "textures": trial["textures"][:19],
        **{
            name: content[:19]
            for name, key in _CONTENTS.items()
            if (content := trial.get(key)) is not None
        },
        "starts from": (trial.get("start") or "the encoder's weights")[:21],
    }


def differing(trials: Sequence[Trial]) -> list[str]:
    """Names of the traits in which trials differ."""
    found = [traits(trial) for trial in trials]
    names = {name: None for one in found for name in one}
    return [
        name
        for name in names
        # A result that was reduced before contents were kept does not say: no difference.
        if len({repr(one.get(name)) for one in found if name not in _CONTENTS or name in one}) > 1
    ]


def _split(
    place: tuple[str, str], trials: Sequence[Trial]
) -> list[tuple[tuple[str, str], list[Trial]]]:
    """A label that fits several configurations names each: they are no seeds of one another."""
    label, category = place
    names = differing(trials)
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        full = f"{label}{_BESIDE}{settings_text(trial, names)}" if names else label
        groups.setdefault((full, category), []).append(trial)
    return list(groups.items())


def _label(trial: Trial, labels: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> str:
    settings = traits(trial)
    for label, wanted in labels.items():
        if all(settings.get(name) == value for name, value in wanted.items()):
            return label
    return settings_text(trial, names)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "-".join(map(_value, value)) if isinstance(value, list) else str(value)
