"""Average precision and the best F1, exact at all thresholds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from memseg.metrics.ranking import Ranking, rank


def best_f1(
    scores: npt.ArrayLike, labels: npt.ArrayLike, unit: str = "item"
) -> tuple[float, float]:
    """The largest F1 over all thresholds, in (0, 1], and its threshold.

    An item is called anomalous when its score is *at least* the threshold, which is one of
    the anomalous scores; of equally good ones the highest. Raises as ``auroc`` does.
    """
    return ranking_best_f1(rank(scores, labels, unit))


def ranking_average_precision(ranking: Ranking) -> float:
    """Average precision in (0, 1]: over thresholds the gain in recall times the precision there.

    Without interpolation, as scikit-learn defines it.
    """
    precision = ranking.true / (ranking.true + ranking.false)
    return float((ranking.gained * precision).sum() / ranking.anomalous)


def ranking_best_f1(ranking: Ranking) -> tuple[float, float]:
    """Best F1 and its threshold of scores that are ranked already."""
    # A threshold that is no anomalous score only adds false positives to the next higher one.
    f1 = 2 * ranking.true / (ranking.true + ranking.false + ranking.anomalous)
    best = int(np.argmax(f1))  # the first of equals, which is the highest threshold
    return float(f1[best]), float(ranking.thresholds[best])
