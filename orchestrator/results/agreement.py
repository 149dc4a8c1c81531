"""Whether synthetic validation ranks trials as the test set does. Pure."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from orchestrator.planning.trial import default_settings
from orchestrator.results.configurations import told, traits

LEAST = 4
"""Configurations below which a rank correlation is not shown: seeds of one rank nothing."""

_KINDS = "validation.turned"
"""Settings that add a kind of anomaly and leave the scores of the others as they are."""


@dataclass(frozen=True)
class Agreement:
    """Spearman's rank correlation of one kind of validation score with the test set."""

    category: str
    steps: int
    kind: str
    """shapes, turned or all kinds; then settings of the validation, where they differ."""
    trials: int
    image: float | None
    """With the test set's image AUROC; None where all values are equal."""
    pixel: float | None
    mean: float | None
    """With the mean of image and pixel AUROC."""


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Rank correlation in [-1, 1], equal values with the mean of their ranks.

    None for fewer than two values and where one side has no order.
    """
    if len(set(one)) < 2 or len(set(other)) < 2:
        return None
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def scores(trial: Mapping[str, Any]) -> dict[str, float]:
    """Kind of validation anomaly -> mean of image AP and pixel AP; {} without validation."""
    synthetic = trial.get("synthetic")
    if not synthetic:
        return {}
    parts = synthetic.get("parts") or {"shapes": synthetic}
    found = {kind: (part["image_ap"] + part["pixel_ap"]) / 2 for kind, part in parts.items()}
    if len(found) > 1:
        found["all kinds"] = statistics.fmean(found.values())
    return found


def judged(trials: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The trials with a synthetic score and both test metrics.

    Each training once for each way of validation: of several evaluations of the same weights in
    the same way the one with most kinds of anomalies counts.
    """
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for trial in trials:
        metrics = trial["metrics"]
        if metrics.get("image_auroc") is None or metrics.get("pixel_auroc") is None:
            continue
        training = (trial.get("training_key", trial["key"]), json.dumps(_validation(trial)))
        if scores(trial) and len(scores(trial)) > len(scores(found.get(training, {}))):
            found[training] = trial
    return tuple(sorted(found.values(), key=lambda t: (t["category"], t["steps"], t["key"])))


def agreements(trials: Iterable[Mapping[str, Any]]) -> tuple[Agreement, ...]:
    """For each category and number of steps with at least LEAST configurations, each score.

    Trials that were validated in other ways have scores that do not compare: groups apart.
    """
    groups: dict[tuple[str, int, str], list[Mapping[str, Any]]] = {}
    used = judged(trials)
    validations = [_validation(trial) for trial in used]
    ways = [
        name
        for name in dict.fromkeys(name for one in validations for name in one)
        if len({repr(one.get(name)) for one in validations}) > 1
    ]
    for trial, validation in zip(used, validations):
        way = told(validation, ways)
        groups.setdefault((trial["category"], trial["steps"], way), []).append(trial)
    found = []
    for (category, steps, way), members in groups.items():
        for kind in dict.fromkeys(kind for trial in members for kind in scores(trial)):
            scored = [trial for trial in members if kind in scores(trial)]
            if len({_configuration(trial) for trial in scored}) < LEAST:
                continue
            values = [scores(trial)[kind] for trial in scored]
            image = [trial["metrics"]["image_auroc"] for trial in scored]
            pixel = [trial["metrics"]["pixel_auroc"] for trial in scored]
            mean = [(a + b) / 2 for a, b in zip(image, pixel)]
            found.append(
                Agreement(
                    category, steps, kind if way == "-" else f"{kind}, {way}", len(scored),
                    *(spearman(values, side) for side in (image, pixel, mean)),
                )
            )  # fmt: skip
    return tuple(found)


def _validation(trial: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value of what the scores of a trial depend on, also where it has its default."""
    settings = {**default_settings(), **trial["settings"]}
    return {
        name: settings[name]
        for name in sorted(settings)
        if name.startswith("validation.") and not name.startswith(_KINDS)
    }


def _configuration(trial: Mapping[str, Any]) -> str:
    chosen = {n: v for n, v in traits(trial).items() if not n.startswith("validation.")}
    return json.dumps(chosen, sort_keys=True)
