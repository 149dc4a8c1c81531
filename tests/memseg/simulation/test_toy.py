"""The toy dataset of section 4.7."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.errors import EmptyDataError
from memseg.simulation.shapes import SHAPES
from memseg.simulation.toy import RADIUS, toy_set

SIDE = 64


def normal(count: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, 3, SIDE, SIDE)).astype(np.uint8)


@given(seed=st.integers(-(10**9), 10**9), count=st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_a_shape_of_one_colour_lies_in_the_image_and_changes_nothing_else(
    seed: int, count: int
) -> None:
    images = normal(count)
    toy = toy_set(images, seed)
    assert len(toy.images) == len(toy.masks) == len(toy.shapes) == count
    for source, image, mask in zip(images, toy.images, toy.masks):
        assert mask.any()
        assert np.array_equal(image[:, ~mask], source[:, ~mask])
        assert len(np.unique(image[:, mask].T, axis=0)) == 1
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert not border.any()  # nothing of the shape is cut off


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_equal_seeds_give_equal_bits_and_others_do_not(seed: int) -> None:
    images = normal(2)
    first, again, other = (toy_set(images, s) for s in (seed, seed, seed + 1))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.masks, again.masks)
    assert first.shapes == again.shapes
    assert not np.array_equal(first.images, other.images)


@given(seed=st.integers(0, 10**6), count=st.integers(6, 13))
@settings(max_examples=10, deadline=None)
def test_of_six_images_each_has_another_shape(seed: int, count: int) -> None:
    shapes = toy_set(normal(count), seed).shapes
    for start in range(0, count - count % 6, 6):
        assert set(shapes[start : start + 6]) == set(SHAPES)


def test_a_shape_is_the_one_that_its_name_says() -> None:
    toy = toy_set(np.zeros((60, 3, 256, 256), np.uint8), 3)
    filled: dict[str, list[float]] = {name: [] for name in SHAPES}
    for mask, name in zip(toy.masks, toy.shapes):
        hull = np.zeros(mask.shape, np.uint8)
        points = np.argwhere(mask)[:, ::-1].astype(np.int32)
        cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
        filled[name].append(float(mask.sum() / hull.sum()))
    convex = {name: float(np.median(shares)) for name, shares in filled.items()}
    assert min(convex["rectangle"], convex["circle"], convex["triangle"]) > 0.95
    assert 0.95 > convex["heart"] > max(convex["star"], convex["lightning"])


def test_sizes_places_and_colours_differ() -> None:
    toy = toy_set(np.repeat(normal(1), 60, 0), 0)
    areas = toy.masks.sum((1, 2))
    assert areas.max() > 6 * areas.min()
    assert areas.max() <= np.pi * (RADIUS[1] * SIDE + 2) ** 2
    centres = np.array([np.argwhere(mask).mean(0) for mask in toy.masks])
    assert (np.ptp(centres, axis=0) > SIDE / 3).all()
    colours = [tuple(image[:, mask][:, 0]) for image, mask in zip(toy.images, toy.masks)]
    assert len(set(colours)) > 50


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(EmptyDataError, match="there is none"):
        toy_set(normal(0), 0)
    with pytest.raises(ValueError, match="uint8"):
        toy_set(normal(1).astype(np.float32), 0)  # type: ignore[arg-type]
