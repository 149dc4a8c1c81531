"""Normal and anomalous scores against each other: what all threshold metrics are made from.

Anomalous pixels are few, and between two scores of anomalous items only the count of false
positives changes. So it is enough to know the counts at the K distinct scores of anomalous
items, and these come from two sorts of plain values: no index has to be sorted along, which
is most of the cost of a curve over all scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memseg.errors import DivergedError
from memseg.metrics.undefined import UndefinedMetric

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """Counts at each distinct score of the anomalous items, from the highest to the lowest.

    K thresholds; an item counts as found when its score is at least the threshold.
    """

    thresholds: npt.NDArray[np.floating]
    """(K,), strictly falling."""
    true: Counts
    """(K,), anomalous items with a score of at least the threshold; ends at ``anomalous``."""
    false: Counts
    """(K,), normal items with a score of at least the threshold."""
    false_above: Counts
    """(K,), normal items with a score above the threshold; the rest of ``false`` are ties."""
    anomalous: int
    normal: int

    @property
    def gained(self) -> Counts:
        """(K,), anomalous items whose score is the threshold."""
        return np.diff(self.true, prepend=0)


def rank(scores: npt.ArrayLike, labels: npt.ArrayLike, unit: str = "item") -> Ranking:
    """Ranks scores of any shape; ``labels``, of the same shape, are true where anomalous.

    ``unit`` names one score in messages: "image", "pixel". Raises UndefinedMetric unless both
    classes are there, DivergedError for scores that are not finite, ValueError for shapes and
    labels that do not fit.
    """
    values, anomalous = checked(scores, labels, unit)
    high = np.sort(values[anomalous])
    low = np.sort(values[~anomalous])
    _check_classes(len(high), len(low), unit)
    thresholds, first = np.unique(high, return_index=True)
    counts = (
        len(high) - first,
        len(low) - np.searchsorted(low, thresholds, side="left"),
        len(low) - np.searchsorted(low, thresholds, side="right"),
    )
    true, false, false_above = (part[::-1].astype(np.int64) for part in counts)
    return Ranking(thresholds[::-1], true, false, false_above, len(high), len(low))


def checked(
    scores: npt.ArrayLike, labels: npt.ArrayLike, unit: str
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.bool_]]:
    """Scores as floats and labels as bool, both of the same shape. Raises as ``rank`` does."""
    values, marks = np.asarray(scores), np.asarray(labels)
    if values.shape != marks.shape:
        raise ValueError(f"{unit} scores are {values.shape}, their labels {marks.shape}")
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    check_finite(values, f"{unit} scores")
    if marks.dtype != np.bool_ and not np.isin(marks, (0, 1)).all():
        raise ValueError(f"labels of {unit}s must be 0 or 1, got {np.unique(marks)[:5]}")
    return values, marks.astype(np.bool_, copy=False)


def check_finite(values: npt.NDArray[np.floating], what: str) -> None:
    """Raises DivergedError with how many values are not finite, and where the first is."""
    finite = np.isfinite(values)
    if finite.all():
        return
    wrong = np.argwhere(~finite)
    raise DivergedError(
        f"{len(wrong)} of {values.size} {what} are not finite, the first at {wrong[0].tolist()}: "
        "the network that made them has diverged; lower optimizer.lr or use precision fp32"
    )


def _check_classes(anomalous: int, normal: int, unit: str) -> None:
    if anomalous and normal:
        return
    total = anomalous + normal
    if total == 0:
        raise UndefinedMetric(f"there is no test {unit}")
    present, absent = ("anomalous", "normal") if anomalous else ("normal", "anomalous")
    raise UndefinedMetric(f"no {absent} test {unit}: all {total} are {present}")
