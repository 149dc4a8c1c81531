"""All metrics of a test set in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from memseg.errors import DataError
from memseg.metrics.aupro import ranking_aupro, region_weights
from memseg.metrics.auroc import ranking_auroc
from memseg.metrics.image_score import image_score
from memseg.metrics.precision import ranking_average_precision, ranking_best_f1
from memseg.metrics.ranking import Ranking, check_finite, rank
from memseg.metrics.undefined import UndefinedMetric

IMAGE_METRICS = ("image_auroc", "image_ap", "image_f1", "image_threshold")
PIXEL_METRICS = ("pixel_auroc", "aupro", "pixel_ap", "pixel_f1", "pixel_threshold")
METRICS = IMAGE_METRICS + PIXEL_METRICS

NO_MASKS = "no ground-truth masks"


@dataclass(frozen=True)
class Metrics:
    """Every name of ``METRICS``, with a value or with the reason why there is none."""

    values: dict[str, float | None]
    """Fractions in [0, 1]; the thresholds of the best F1 are scores."""
    undefined: dict[str, str] = field(default_factory=dict)
    """Name -> reason, for exactly the names whose value is None."""


def compute_metrics(
    maps: npt.NDArray[np.floating],
    labels: npt.NDArray[np.bool_],
    masks: npt.NDArray[np.bool_] | None,
    top_pixels: int,
    aupro_limit: float,
) -> Metrics:
    """Image and pixel metrics of m anomaly maps (section 4.1, 4.2).

    ``maps``: (m, S, S) finite; ``labels``: (m,), true for an anomalous image; ``masks``:
    (m, S, S) ground truth, None where there is none. An image is anomalous by its label even
    if its mask is empty: a thin scratch can vanish from a shrunk mask. Then all of its pixels
    count as normal, and AUPRO has no region from it.

    Raises DivergedError for maps that are not finite, DataError for a normal image whose mask
    is not empty, SettingError for more top pixels than a map has, ValueError for shapes that
    do not fit.
    """
    _check(maps, labels, masks)
    values: dict[str, float | None] = dict.fromkeys(METRICS)
    undefined: dict[str, str] = {}
    _fill(values, undefined, IMAGE_METRICS, lambda: _image(maps, labels, top_pixels))
    if masks is None:
        undefined.update(dict.fromkeys(PIXEL_METRICS, NO_MASKS))
    else:
        _fill(values, undefined, PIXEL_METRICS, lambda: _pixel(maps, masks, aupro_limit))
    return Metrics(values, undefined)


def _image(
    maps: npt.NDArray[np.floating], labels: npt.NDArray[np.bool_], top_pixels: int
) -> dict[str, float]:
    ranking = rank(image_score(maps, top_pixels), labels, "image")
    return _threshold_metrics("image", ranking)


def _pixel(
    maps: npt.NDArray[np.floating], masks: npt.NDArray[np.bool_], limit: float
) -> dict[str, float]:
    ranking = rank(maps, masks, "pixel")
    area = ranking_aupro(ranking, maps[masks], region_weights(masks), limit)
    return {**_threshold_metrics("pixel", ranking), "aupro": area}


def _threshold_metrics(unit: str, ranking: Ranking) -> dict[str, float]:
    f1, threshold = ranking_best_f1(ranking)
    return {
        f"{unit}_auroc": ranking_auroc(ranking),
        f"{unit}_ap": ranking_average_precision(ranking),
        f"{unit}_f1": f1,
        f"{unit}_threshold": threshold,
    }


def _fill(
    values: dict[str, float | None],
    undefined: dict[str, str],
    names: Sequence[str],
    compute: Callable[[], dict[str, float]],
) -> None:
    try:
        values.update(compute())
    except UndefinedMetric as none:
        undefined.update(dict.fromkeys(names, none.reason))


def _check(
    maps: npt.NDArray[np.floating],
    labels: npt.NDArray[np.bool_],
    masks: npt.NDArray[np.bool_] | None,
) -> None:
    if maps.ndim != 3 or not np.issubdtype(maps.dtype, np.floating):
        raise ValueError(f"anomaly maps must be float (m, S, S), got {maps.dtype} {maps.shape}")
    if labels.shape != maps.shape[:1] or labels.dtype != np.bool_:
        raise ValueError(
            f"labels must be bool ({len(maps)},), one per map, got {labels.dtype} {labels.shape}"
        )
    check_finite(maps, "pixels of the anomaly maps")
    if masks is None:
        return
    if masks.shape != maps.shape or masks.dtype != np.bool_:
        raise ValueError(f"masks must be bool {maps.shape}, got {masks.dtype} {masks.shape}")
    for index in np.flatnonzero(~labels):
        if masks[index].any():
            raise DataError(
                f"test image {index} is labelled normal, but {int(masks[index].sum())} pixels of "
                "its ground-truth mask are anomalous: move the image or remove the mask"
            )
