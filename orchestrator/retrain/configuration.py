"""The settings that were best on average over the registry's categories. Pure."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_NOT_CHOSEN = (
    "evaluation.", "validation.", "training.precision", "training.reported_step",
    "training.judged_every",
)  # fmt: skip
"""How names begin of settings that say how a model is judged, or follow from the device."""


@dataclass(frozen=True)
class Measured:
    """What a registry version has other than the job, and what it was worth."""

    category: str
    overrides: Mapping[str, Any]
    """See ``overrides_of``."""
    score: float | None
    """On synthetic validation, larger is better; None where nothing was held out."""


@dataclass(frozen=True)
class Configuration:
    """Settings on top of the job's that several categories have in common."""

    overrides: Mapping[str, Any]
    categories: int
    score: float
    """Mean over categories of the best version of each."""


def overrides_of(settings: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    """What to set on top of the job to train the category with these settings.

    ``settings``: a version's, by dotted name; ``job``: the same category's as the job would have
    them, with the category's own row. A setting that the version does not know is the job's.
    """
    return {
        name: value
        for name, value in settings.items()
        if name in job and _plain(job[name]) != _plain(value) and not name.startswith(_NOT_CHOSEN)
    }


def _plain(value: Any) -> Any:
    """JSON made lists of tuples."""
    return [_plain(v) for v in value] if isinstance(value, (tuple, list)) else value


def best_on_average(versions: Iterable[Measured]) -> Configuration | None:
    """The configuration measured on most categories; of several the one with the best mean.

    A mean over few categories says less than one over many, and scores of different categories
    do not compare. None where no version has a score.
    """
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    overrides: dict[str, Mapping[str, Any]] = {}
    for version in versions:
        if version.score is None:
            continue
        key = json.dumps(version.overrides, sort_keys=True)
        overrides[key] = version.overrides
        best = groups[key].get(version.category, version.score)
        groups[key][version.category] = max(best, version.score)
    found = [
        Configuration(overrides[key], len(scores), statistics.fmean(scores.values()))
        for key, scores in sorted(groups.items())
    ]
    return max(found, key=lambda c: (c.categories, c.score), default=None)
