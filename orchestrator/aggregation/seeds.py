"""How far the seeds of a winning configuration lie apart. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.aggregation.rows import METRICS
from orchestrator.aggregation.selection import Choice


@dataclass(frozen=True)
class SeedSpread:
    """One metric of one category over the seeds of its winning configuration; fractions."""

    category: str
    metric: str
    seeds: int
    mean: float
    least: float
    most: float


def seed_spreads(choices: Mapping[str, Choice]) -> tuple[SeedSpread, ...]:
    """For each category whose winning configuration has more than one finished seed."""
    spreads = []
    for category, choice in choices.items():
        for metric in METRICS:
            values = [v for trial in choice.seeds if (v := trial.metric(metric)) is not None]
            if len(values) > 1:
                spreads.append(
                    SeedSpread(category, metric, len(values), statistics.fmean(values),
                               min(values), max(values))
                )  # fmt: skip
    return tuple(spreads)
