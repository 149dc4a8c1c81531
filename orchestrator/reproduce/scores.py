"""A row's figures in one category and on average, a value a seed. Pure.

Figures are fractions in [0, 1].
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.aggregation.published import PaperResult, Results
from orchestrator.aggregation.rows import METRICS
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.experiment import Part

AUROCS = ("image_auroc", "pixel_auroc")


@dataclass(frozen=True)
class Score:
    """What was measured."""

    values: Mapping[str, tuple[float, ...]]
    """Metric -> a value a seed, in the order of seeds; () where it is not defined."""
    over: Mapping[str, tuple[str, ...]]
    """Metric -> the categories that the values are averages over."""

    def mean(self, metric: str) -> float | None:
        """Over the seeds."""
        values = self.values[metric]
        return statistics.fmean(values) if values else None

    def deviation(self, metric: str) -> float | None:
        """Sample standard deviation over the seeds; None with fewer than two."""
        values = self.values[metric]
        return statistics.stdev(values) if len(values) > 1 else None


def row_scores(part: Part, row: str, records: Mapping[str, Record]) -> dict[str, Score]:
    """Category -> score, for each category in which all seeds of the row are done."""
    found = {}
    for category, trials in part.trials[row].items():
        score = _score(category, trials, records)
        if score is not None:
            found[category] = score
    return found


def _score(category: str, trials: Sequence[Trial], records: Mapping[str, Record]) -> Score | None:
    results = [r.result for t in trials if isinstance(r := records.get(t.key), Done)]
    if not results or len(results) < len(trials):
        return None
    values = {}
    for metric in METRICS:
        found = [result["metrics"].get(metric) for result in results]
        # A test set defines a metric for all seeds or for none.
        values[metric] = () if None in found else tuple(found)
    return Score(values, {metric: (category,) if v else () for metric, v in values.items()})


def average(scores: Mapping[str, Score], over: Iterable[str]) -> Score | None:
    """The mean over these categories, seed by seed; of those that define a metric.

    None where there is no category.
    """
    chosen = [scores[category] for category in over]
    if not chosen:
        return None
    values, defined = {}, {}
    for metric in METRICS:
        columns = [score.values[metric] for score in chosen if score.values[metric]]
        values[metric] = tuple(map(statistics.fmean, zip(*columns)))
        defined[metric] = tuple(c for score in chosen for c in score.over[metric])
    return Score(values, defined)


def published_average(results: Results, score: Score) -> PaperResult:
    """What was published, averaged over the categories of the score that have been published."""

    def mean(metric: str) -> float | None:
        values = [
            value
            for category in score.over[metric]
            if category in results and (value := getattr(results[category], metric)) is not None
        ]
        return statistics.fmean(values) if values else None

    return PaperResult(*map(mean, AUROCS))


def shared_categories(scores: Iterable[Mapping[str, Score]]) -> tuple[str, ...]:
    """The categories that every row has a score in, rows without any score left aside.

    Averages over different categories could not be compared.
    """
    rows = [found for found in scores if found]
    if not rows:
        return ()
    return tuple(c for c in rows[0] if all(c in found for found in rows))
