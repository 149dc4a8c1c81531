"""Area under the per-region overlap curve (AUPRO), exact.

m images, S side in pixels. A region is a connected component, diagonals included, of one
image's ground-truth mask. At a threshold, the per-region overlap (PRO) is the mean over all
regions of all images of the share of the region whose score is at least the threshold; the
false positive rate is that share of all pixels outside regions (Bergmann et al., The MVTec
Anomaly Detection Dataset, IJCV 2021). Small regions weigh as much as large ones.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from memseg.metrics.ranking import Ranking, rank

CONNECTIVITY = 8


def aupro(maps: npt.ArrayLike, masks: npt.ArrayLike, limit: float = 0.3) -> float:
    """Area under PRO over the false positive rate from 0 to ``limit``, divided by ``limit``.

    ``maps``: (m, S, S) anomaly scores; ``masks``: (m, S, S), true where anomalous; an image
    with an empty mask has no region, and its pixels count for the false positive rate. The
    curve goes through every threshold, is straight across ties, starts at (0, 0) and is
    interpolated at the limit. In [0, 1]: a perfect map gives 1, a constant one limit / 2.

    Raises UndefinedMetric without a region or without a normal pixel, DivergedError for maps
    that are not finite, ValueError for shapes that do not fit and a limit outside (0, 1].
    """
    values, marks = np.asarray(maps), np.asarray(masks)
    if values.ndim != 3:
        raise ValueError(f"anomaly maps must be (m, S, S), got {values.shape}")
    ranking = rank(values, marks, "pixel")
    marks = marks.astype(np.bool_, copy=False)
    return ranking_aupro(ranking, values[marks], region_weights(marks), limit)


def region_weights(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """For each anomalous pixel of (m, S, S) masks, in their order: 1 / pixels of its region."""
    weights = [np.zeros(0)]
    for mask in masks:
        if not mask.any():
            continue
        _, regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=CONNECTIVITY)
        inside = regions[mask]
        weights.append(1 / np.bincount(inside)[inside])
    return np.concatenate(weights)


def ranking_aupro(
    ranking: Ranking,
    scores: npt.NDArray[np.floating],
    weights: npt.NDArray[np.float64],
    limit: float,
) -> float:
    """AUPRO of pixels that are ranked already.

    ``scores`` and ``weights``: those of the anomalous pixels, in one order.
    """
    if not 0 < limit <= 1:
        raise ValueError(f"the AUPRO limit must be above 0 and at most 1, got {limit}")
    overlap = np.cumsum(weights[np.argsort(-scores)])[ranking.true - 1]
    overlap /= overlap[-1]  # the sum is the number of regions, to rounding
    # Per threshold two corners: along the normal pixels above it, then up (a slope across ties).
    false = np.stack([ranking.false_above, ranking.false], axis=1).ravel()
    pro = np.stack([np.append(0.0, overlap[:-1]), overlap], axis=1).ravel()
    x = np.concatenate([[0], false, [ranking.normal]]) / ranking.normal
    y = np.concatenate([[0.0], pro, [1.0]])
    return _area(x, y, limit) / limit


def _area(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], limit: float) -> float:
    """Area under a polyline with rising ``x`` from 0 to ``limit``, interpolated there."""
    steps = (np.diff(x) > 0) & (x[:-1] < limit)
    left, right = x[:-1][steps], x[1:][steps]
    low, high = y[:-1][steps], y[1:][steps]
    share = (np.minimum(right, limit) - left) / (right - left)
    end = low + share * (high - low)
    return float((share * (right - left) * (low + end)).sum() / 2)
