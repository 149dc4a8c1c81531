"""AUPRO: by hand, and against a reference that loops over thresholds and regions."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from memseg.errors import DivergedError
from memseg.metrics.aupro import aupro, region_weights
from memseg.metrics.auroc import auroc
from memseg.metrics.undefined import UndefinedMetric

Maps = npt.NDArray[np.floating]
Masks = npt.NDArray[np.bool_]


def slow_aupro(maps: Maps, masks: Masks, limit: float) -> float:
    """Every threshold, every region, and the trapezoids one by one."""
    regions = []
    for index, mask in enumerate(masks):
        labelled, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [(index, labelled == number) for number in range(1, count + 1)]
    points = [(0.0, 0.0)]
    for threshold in sorted(set(maps.ravel().tolist()), reverse=True):
        called = maps >= threshold
        overlaps = [called[index][region].mean() for index, region in regions]
        points.append((float(called[~masks].mean()), float(np.mean(overlaps))))
    area = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 >= limit or x1 == x0:
            continue
        end = min(x1, limit)
        area += (end - x0) * (y0 + y0 + (y1 - y0) * (end - x0) / (x1 - x0)) / 2
    return area / limit


@st.composite
def segmented(draw: st.DrawFn) -> tuple[Maps, Masks]:
    """Maps and masks with regions of several sizes; few levels make many ties."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 3)), draw(st.integers(2, 8)), draw(st.integers(2, 8)))
    levels = draw(st.sampled_from([1, 2, 4, 1000]))
    masks = random.random(shape) < draw(st.sampled_from([0.05, 0.3, 0.6]))
    assume(masks.any() and not masks.all())
    noise = random.integers(0, levels, shape) / levels
    hint = draw(st.sampled_from([0.0, 0.5, -0.5]))
    return (noise + hint * masks).astype(np.float32), masks


@settings(max_examples=30, deadline=None)
@given(segmented(), st.sampled_from([0.01, 0.05, 0.3, 0.5, 1.0]))
def test_aupro_is_that_of_all_thresholds_and_regions(
    case: tuple[Maps, Masks], limit: float
) -> None:
    maps, masks = case
    assert aupro(maps, masks, limit) == pytest.approx(slow_aupro(maps, masks, limit), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(segmented())
def test_with_one_region_up_to_one_it_is_the_pixel_auroc(case: tuple[Maps, Masks]) -> None:
    maps, _ = case
    mask = np.zeros(maps.shape, bool)
    mask[0, :1, :2] = True
    assert aupro(maps, mask, 1.0) == pytest.approx(auroc(maps, mask), abs=1e-12)


def line(scores: list[float], mask: list[int]) -> tuple[Maps, Masks]:
    """One image of one row."""
    return np.array([[scores]]), np.array([[mask]], bool)


def test_a_perfect_map_gives_one() -> None:
    masks = np.zeros((3, 16, 16), bool)
    masks[0, 2:9, 3:6] = True
    masks[1, 0, 0] = True
    masks[1, 5, 5:9] = True
    assert aupro(masks.astype(np.float32), masks) == 1


def test_a_map_turned_round_gives_nothing() -> None:
    masks = np.zeros((1, 16, 16), bool)
    masks[0, :4] = True
    assert aupro(-masks.astype(np.float32), masks, 0.3) == 0


@pytest.mark.parametrize("limit", [0.1, 0.3, 1.0])
def test_a_constant_map_gives_half_the_limit(limit: float) -> None:
    masks = np.zeros((2, 8, 8), bool)
    masks[0, :2] = True
    assert aupro(np.zeros((2, 8, 8)), masks, limit) == pytest.approx(limit / 2)


def test_small_regions_weigh_as_much_as_large_ones() -> None:
    # four of five anomalous pixels are found first, but only one of two regions
    maps, masks = line([9, 9, 9, 9, 5, 5, 0, 5, 5], [1, 1, 1, 1, 0, 0, 1, 0, 0])
    assert aupro(maps, masks, 1.0) == pytest.approx(0.5)


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    mask = np.zeros((1, 4, 4), bool)
    mask[0, 0, 0] = mask[0, 1, 1] = mask[0, 3, 3] = True
    assert region_weights(mask).tolist() == [0.5, 0.5, 1.0]


def test_regions_of_different_images_are_different_regions() -> None:
    mask = np.zeros((3, 4, 4), bool)
    mask[0, 0] = mask[2, 0, :2] = True
    assert region_weights(mask).tolist() == [0.25] * 4 + [0.5] * 2


def test_the_curve_is_interpolated_at_the_limit() -> None:
    # from (0, 0) by a tie of one anomalous and all four normal pixels to (1, 1)
    maps, masks = line([1, 1, 1, 1, 1], [1, 0, 0, 0, 0])
    assert aupro(maps, masks, 0.5) == pytest.approx(0.25)
    # (0, 0) - (0, 1/2) - (1/2, 1/2) - (1/2, 1) - (1, 1), cut in the middle of a step
    maps, masks = line([9, 5, 0, 1, 2], [1, 0, 0, 1, 0])
    assert aupro(maps, masks, 1.0) == pytest.approx((2 / 3 * 0.5 + 1 / 3) / 1)
    assert aupro(maps, masks, 0.25) == pytest.approx(0.5)
    assert aupro(maps, masks, 0.75) == pytest.approx((2 / 3 * 0.5 + (0.75 - 2 / 3)) / 0.75)


def test_a_slope_across_a_tie_is_cut_where_the_limit_is() -> None:
    # (0, 0) - (0, 1/2), a tie of the other anomalous and one normal pixel to (1/2, 1) - (1, 1)
    maps, masks = line([9, 5, 5, 0], [1, 1, 0, 0])
    assert masks.sum() == 2
    expected = (0.25 * (0.5 + 0.75) / 2) / 0.25
    assert aupro(maps, masks, 0.25) == pytest.approx(expected)


def test_images_without_a_region_count_for_the_false_positives() -> None:
    masks = np.zeros((2, 1, 4), bool)
    masks[0, 0, 0] = True
    maps = np.array([[[5.0, 0, 0, 0]], [[9.0, 0, 0, 0]]])  # one of 7 normal pixels is higher
    assert aupro(maps, masks, 1.0) == pytest.approx(6 / 7)


def test_without_a_region_it_is_undefined() -> None:
    with pytest.raises(UndefinedMetric, match="no anomalous test pixel: all 8 are normal"):
        aupro(np.zeros((2, 2, 2)), np.zeros((2, 2, 2), bool))


def test_without_a_normal_pixel_it_is_undefined() -> None:
    with pytest.raises(UndefinedMetric, match="no normal test pixel: all 8 are anomalous"):
        aupro(np.zeros((2, 2, 2)), np.ones((2, 2, 2), bool))


def test_maps_that_are_not_finite_are_refused() -> None:
    maps = np.zeros((1, 2, 2))
    maps[0, 1, 0] = np.nan
    with pytest.raises(DivergedError, match=r"1 of 4 pixel scores .* \[0, 1, 0\]"):
        aupro(maps, np.eye(2, dtype=bool)[None])


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.1, float("nan")])
def test_a_limit_outside_of_0_to_1_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="AUPRO limit"):
        aupro(np.zeros((1, 2, 2)), np.eye(2, dtype=bool)[None], limit)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(m, S, S\)"):
        aupro(np.zeros((2, 2)), np.eye(2, dtype=bool))
    with pytest.raises(ValueError, match="labels"):
        aupro(np.zeros((1, 2, 2)), np.eye(2, dtype=bool))
