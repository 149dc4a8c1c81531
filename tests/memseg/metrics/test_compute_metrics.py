"""All metrics of a test set: what is defined, what is not, and why."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from memseg.errors import DataError, DivergedError, SettingError
from memseg.metrics.aupro import aupro
from memseg.metrics.evaluate import (
    IMAGE_METRICS,
    METRICS,
    NO_MASKS,
    PIXEL_METRICS,
    Metrics,
    compute_metrics,
)
from memseg.metrics.image_score import image_score
from memseg.metrics.precision import best_f1

Case = tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


@pytest.fixture
def case() -> Case:
    """Ten noisy maps, the last five with a defect that is found more or less well."""
    random = np.random.default_rng(5)
    masks = np.zeros((10, 24, 24), bool)
    for index in range(5, 10):
        row, column = random.integers(0, 16, 2)
        masks[index, row : row + 6, column : column + 4] = True
    maps = np.round(random.random(masks.shape) * 0.6 + 0.3 * masks, 2).astype(np.float32)
    return maps, np.arange(10) >= 5, masks


def compute(case: Case, **other: object) -> Metrics:
    maps, labels, masks = case
    arguments = {
        "maps": maps, "labels": labels, "masks": masks, "top_pixels": 10, "aupro_limit": 0.3,
        **other,
    }  # fmt: skip
    return compute_metrics(**arguments)  # type: ignore[arg-type]


def test_the_values_are_those_of_the_single_metrics(case: Case) -> None:
    maps, labels, masks = case
    found = compute(case)
    scores = image_score(maps, 10)
    assert found.undefined == {}
    assert tuple(found.values) == METRICS
    assert found.values == pytest.approx({
        "image_auroc": roc_auc_score(labels, scores),
        "image_ap": average_precision_score(labels, scores),
        "image_f1": best_f1(scores, labels)[0],
        "image_threshold": best_f1(scores, labels)[1],
        "pixel_auroc": roc_auc_score(masks.ravel(), maps.ravel()),
        "aupro": aupro(maps, masks, 0.3),
        "pixel_ap": average_precision_score(masks.ravel(), maps.ravel()),
        "pixel_f1": best_f1(maps, masks)[0],
        "pixel_threshold": best_f1(maps, masks)[1],
    }, abs=1e-12)  # fmt: skip


def test_values_are_plain_floats_for_json(case: Case) -> None:
    assert {type(value) for value in compute(case).values.values()} == {float}


def test_without_masks_only_the_pixel_metrics_are_undefined(case: Case) -> None:
    found = compute(case, masks=None)
    assert found.undefined == dict.fromkeys(PIXEL_METRICS, NO_MASKS)
    assert all(found.values[name] is None for name in PIXEL_METRICS)
    assert all(found.values[name] == compute(case).values[name] for name in IMAGE_METRICS)


def test_a_test_set_of_normal_images_defines_nothing(case: Case) -> None:
    found = compute((case[0][:5], case[1][:5], case[2][:5]))
    assert found.values == dict.fromkeys(METRICS)
    assert found.undefined["image_auroc"] == "no anomalous test image: all 5 are normal"
    assert found.undefined["aupro"] == "no anomalous test pixel: all 2880 are normal"
    assert tuple(found.undefined) == METRICS


def test_a_test_set_of_anomalous_images_defines_the_pixel_metrics(case: Case) -> None:
    found = compute((case[0][5:], case[1][5:], case[2][5:]))
    assert set(found.undefined) == set(IMAGE_METRICS)
    assert found.undefined["image_auroc"] == "no normal test image: all 5 are anomalous"
    assert all(found.values[name] is not None for name in PIXEL_METRICS)


def test_an_empty_test_set_defines_nothing(case: Case) -> None:
    found = compute((case[0][:0], case[1][:0], case[2][:0]))
    assert found.values == dict.fromkeys(METRICS)
    assert found.undefined["image_auroc"] == "there is no test image"


def test_an_anomalous_image_whose_shrunk_mask_is_empty_counts_by_its_label(case: Case) -> None:
    maps, labels, masks = case
    emptied = masks.copy()
    emptied[9] = False
    found, full = compute((maps, labels, emptied)), compute(case)
    assert all(found.values[name] == full.values[name] for name in IMAGE_METRICS)
    assert found.values["aupro"] == pytest.approx(aupro(maps, emptied, 0.3), abs=1e-15)


def test_a_normal_image_with_a_mask_is_refused(case: Case) -> None:
    maps, labels, masks = case
    masks[2, 3, 4:6] = True
    with pytest.raises(DataError, match="test image 2 is labelled normal, but 2 pixels"):
        compute((maps, labels, masks))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_maps_that_are_not_finite_are_refused(case: Case, bad: float) -> None:
    case[0][7, 1, 2] = case[0][8, 0, 0] = bad
    with pytest.raises(DivergedError, match=r"2 of 5760 pixels .* \[7, 1, 2\]"):
        compute(case)
    with pytest.raises(DivergedError):
        compute(case, masks=None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"maps": np.zeros((10, 576), np.float32)},
        {"maps": np.zeros((10, 24, 24), np.uint8)},
        {"labels": np.zeros(9, bool)},
        {"labels": np.zeros(10, np.int64)},
        {"masks": np.zeros((10, 24, 12), bool)},
        {"masks": np.zeros((10, 24, 24), np.uint8)},
        {"aupro_limit": 0.0},
    ],
)
def test_arrays_that_do_not_fit_are_refused(case: Case, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        compute(case, **wrong)


def test_the_arrays_are_left_as_they_are(case: Case) -> None:
    before = [part.copy() for part in case]
    compute(case)
    assert all((a == b).all() for a, b in zip(before, case, strict=True))


def test_the_image_score_is_the_mean_of_the_largest() -> None:
    maps = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    assert image_score(maps, 1).tolist() == [8, 17]
    assert image_score(maps, 3).tolist() == [7, 16]
    assert image_score(maps, 9).tolist() == [4, 13]
    assert float(image_score(maps[0], 2)) == 7.5
    assert image_score(maps[None], 2).shape == (1, 2)


def test_the_image_score_does_not_depend_on_where_the_pixels_are() -> None:
    random = np.random.default_rng(0)
    one = random.random((64, 64), np.float32)
    other = random.permutation(one.ravel()).reshape(64, 64)
    assert float(image_score(one, 100)) == float(image_score(other, 100))
    assert float(image_score(one, 100)) == float(np.sort(one.ravel())[-100:].mean(dtype=float))


@pytest.mark.parametrize("top", [0, 10])
def test_more_top_pixels_than_pixels_are_refused(top: int) -> None:
    with pytest.raises(SettingError, match=r"evaluation.top_pixels .* 9 pixels .* got"):
        image_score(np.zeros((2, 3, 3), np.float32), top)
