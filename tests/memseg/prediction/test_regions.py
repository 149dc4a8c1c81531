"""Abnormal regions, by hand and against a slow reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.prediction.regions import MOST_REGIONS, Region, find_regions


def blank(side: int = 8) -> np.ndarray:
    return np.zeros((side, side), np.float32)


def test_a_region_is_in_pixels_of_the_picture() -> None:
    found = blank()
    found[2:4, 1:4] = 0.7
    found[3, 3] = 0.9
    regions = find_regions(found, 0.7, width=80, height=40)
    assert regions.area == 6 * 10 * 5
    (region,) = regions.largest
    assert (region.left, region.top, region.width, region.height) == (10, 10, 30, 10)
    assert region.area == 300
    assert region.score == pytest.approx(0.9)


def test_a_box_covers_every_pixel_it_touches_when_sides_do_not_divide() -> None:
    found = blank()
    found[3, 3] = 1
    (region,) = find_regions(found, 0.5, width=10, height=3).largest
    # 3 / 8 to 4 / 8 of 10 is 3.75 to 5; of 3 it is 1.125 to 1.5.
    assert region == Region(left=3, top=1, width=2, height=1, area=1, score=1.0)


def test_corners_join_and_the_largest_comes_first() -> None:
    found = blank()
    found[0, 7] = 1
    found[4, 4] = found[5, 5] = found[6, 4] = 0.6
    regions = find_regions(found, 0.6, 8, 8)
    assert [(r.left, r.top, r.area) for r in regions.largest] == [(4, 4, 3), (7, 0, 1)]
    assert (regions.count, regions.area) == (2, 4)


def test_nothing_above_the_threshold_is_no_region_and_all_is_one() -> None:
    assert find_regions(blank(), 0.1, 100, 50).largest == ()
    everything = find_regions(np.ones((8, 8), np.float32), 0.5, 101, 53)
    assert everything.area == 101 * 53
    assert everything.largest[0] == Region(0, 0, 101, 53, 101 * 53, 1.0)


def test_many_regions_are_counted_and_only_the_largest_described() -> None:
    found = blank(64)
    found[::2, ::2] = 1
    regions = find_regions(found, 0.5, 64, 64)
    assert regions.count == regions.area == 32 * 32
    assert len(regions.largest) == MOST_REGIONS


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 300), st.floats(0.05, 0.95))
def test_boxes_lie_in_the_picture_and_hold_their_regions(
    seed: int, width: int, height: int, threshold: float
) -> None:
    found = np.random.default_rng(seed).random((8, 8)).astype(np.float32) ** 3
    regions = find_regions(found, threshold, width, height)
    assert regions.area == round(int((found >= threshold).sum()) * width * height / 64)
    for region in regions.largest:
        assert 0 <= region.left < region.left + region.width <= width
        assert 0 <= region.top < region.top + region.height <= height
        assert region.area >= 1
        assert region.score >= np.float32(threshold)
    for y, x in np.argwhere(found >= threshold):
        assert any(
            region.left <= x * width / 8
            and (x + 1) * width / 8 <= region.left + region.width
            and region.top <= y * height / 8
            and (y + 1) * height / 8 <= region.top + region.height
            for region in regions.largest
        )
