"""Whether synthetic validation ranks trials as the test set does. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

LEAST = 4
"""Trials below which a rank correlation is not shown."""


@dataclass(frozen=True)
class Agreement:
    """Spearman's rank correlation of one kind of validation score with the test set."""

    category: str
    steps: int
    kind: str
    """shapes, turned, or both."""
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
    """The trials with a synthetic score and both test metrics, each training once.

    Of several evaluations of the same weights the one with most kinds of anomalies counts.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for trial in trials:
        metrics = trial["metrics"]
        if metrics.get("image_auroc") is None or metrics.get("pixel_auroc") is None:
            continue
        training = trial.get("training_key", trial["key"])
        if scores(trial) and len(scores(trial)) > len(scores(found.get(training, {}))):
            found[training] = trial
    return tuple(sorted(found.values(), key=lambda t: (t["category"], t["steps"], t["key"])))


def agreements(trials: Iterable[Mapping[str, Any]]) -> tuple[Agreement, ...]:
    """For each category and number of steps with at least LEAST trials, each kind of score."""
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for trial in judged(trials):
        groups.setdefault((trial["category"], trial["steps"]), []).append(trial)
    found = []
    for (category, steps), members in groups.items():
        for kind in dict.fromkeys(kind for trial in members for kind in scores(trial)):
            scored = [trial for trial in members if kind in scores(trial)]
            if len(scored) < LEAST:
                continue
            values = [scores(trial)[kind] for trial in scored]
            image = [trial["metrics"]["image_auroc"] for trial in scored]
            pixel = [trial["metrics"]["pixel_auroc"] for trial in scored]
            mean = [(a + b) / 2 for a, b in zip(image, pixel)]
            found.append(
                Agreement(
                    category, steps, kind, len(scored),
                    *(spearman(values, side) for side in (image, pixel, mean)),
                )
            )  # fmt: skip
    return tuple(found)
