"""Area under the ROC curve, exact."""

from __future__ import annotations

import numpy.typing as npt

from memseg.metrics.ranking import Ranking, rank


def auroc(scores: npt.ArrayLike, labels: npt.ArrayLike, unit: str = "item") -> float:
    """Probability that an anomalous item scores above a normal one, ties counting a half; [0, 1].

    ``scores`` and ``labels`` (true where anomalous) have one shape, any. This is the area
    under the ROC curve through all thresholds, by whole numbers: the only rounding is that of
    the result. Raises UndefinedMetric with one class only, DivergedError for scores that are
    not finite.
    """
    return ranking_auroc(rank(scores, labels, unit))


def ranking_auroc(ranking: Ranking) -> float:
    """AUROC of scores that are ranked already."""
    # Twice the number of pairs in order: twice the normal items below, once those that tie.
    pairs = 2 * ranking.normal - ranking.false - ranking.false_above
    return int((ranking.gained * pairs).sum()) / (2 * ranking.anomalous * ranking.normal)
