"""Which of a version's thresholds serve. Pure: from the value of thresholds.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from memseg.errors import RegistryError, SettingError
from memseg.evaluation.policies import POLICIES, UNITS

BEST_F1_TEST = "best_f1_test"
"""From the test set's labels: never taken unless asked for by name."""
GIVEN = "given"
CHOICES = (*POLICIES, BEST_F1_TEST)


@dataclass(frozen=True)
class Threshold:
    """From which score on an image or a pixel is called anomalous."""

    value: float
    policy: str
    """How it was chosen: one of ``CHOICES``, or "given"."""


@dataclass(frozen=True)
class Thresholds:
    """Both thresholds that a prediction uses."""

    image: Threshold
    pixel: Threshold


def choose(
    published: Any,
    where: str,
    policy: str | None = None,
    image: float | None = None,
    pixel: float | None = None,
) -> Thresholds:
    """The thresholds of a version.

    ``published``: the value of its thresholds.json, ``where``: the file, for messages.
    ``policy``: one of ``CHOICES``; None takes the version's own default, which was chosen without
    test labels. ``image`` and ``pixel``: numbers that are used instead. Raises SettingError where
    the version has no such threshold, with what it has; RegistryError for a damaged file.
    """
    if policy is not None and policy not in CHOICES:
        raise SettingError(f"the policy must be one of {', '.join(CHOICES)}, got {policy!r}")
    try:
        there = _read(published)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RegistryError(f"{where} is damaged: {error!r}") from error
    chosen = []
    for unit, given in zip(UNITS, (image, pixel)):
        if given is None:
            chosen.append(there.threshold(unit, policy or there.default.get(unit), where))
        elif math.isfinite(given):
            chosen.append(Threshold(given, GIVEN))
        else:
            raise SettingError(f"the {unit} threshold must be a finite number, got {given}")
    return Thresholds(*chosen)


@dataclass
class _Published:
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    """Of (policy, unit)."""
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why there is no value, of (policy, unit)."""
    default: Mapping[str, str | None] = field(default_factory=dict)
    """Unit -> policy."""

    def threshold(self, unit: str, policy: str | None, where: str) -> Threshold:
        if policy is not None and (policy, unit) in self.values:
            return Threshold(self.values[policy, unit], policy)
        known = ", ".join(p for p in CHOICES if (p, unit) in self.values) or "none"
        what = f"by policy {policy}" if policy else "that was chosen without test labels"
        reason = self.reasons.get((policy or POLICIES[0], unit))
        raise SettingError(
            f"{where} has no {unit} threshold {what}{f' ({reason})' if reason else ''}; policies "
            f"that it has: {known}. Name one with --policy, or give numbers with "
            "--image_threshold and --pixel_threshold"
        )


def _read(published: Any) -> _Published:
    there = _Published()
    undefined = published["undefined"]
    for unit in UNITS:
        name = f"{unit}_threshold"
        if published[name] is not None:
            there.values[BEST_F1_TEST, unit] = _finite(published[name])
        elif name in undefined:
            there.reasons[BEST_F1_TEST, unit] = str(undefined[name])
    chosen = published.get("without_test_labels")
    if chosen is None:
        # The trial's result was written before there were any.
        note = str(published.get("note", "the version was published before there were any"))
        there.reasons.update({(policy, unit): note for policy in POLICIES for unit in UNITS})
        return there
    for policy, units in chosen["policies"].items():
        for unit, value in units.items():
            there.values[policy, unit] = _finite(value["threshold"])
    for policy, units in chosen["absent"].items():
        there.reasons.update({(policy, unit): str(reason) for unit, reason in units.items()})
    there.default = {unit: chosen["default"][unit] for unit in UNITS}
    if not all(policy is None or isinstance(policy, str) for policy in there.default.values()):
        raise TypeError(f"the defaults are {there.default}")
    return there


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a threshold of {number}")
    return number
