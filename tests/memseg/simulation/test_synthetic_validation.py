import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config.method import ValidationConfig
from memseg.errors import EmptyDataError, SettingError
from memseg.simulation.shapes import SHAPES, shape_mask
from memseg.simulation.synthetic import synthetic_validation

CONFIG = ValidationConfig()


def normal_images(h: int = 3, size: int = 64, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(80, 170, (h, 3, size, size)).astype(np.uint8)


def test_the_normal_images_come_first_unchanged_with_empty_masks() -> None:
    normal = normal_images()
    images, masks, labels = synthetic_validation(normal, CONFIG, 0)
    assert images.shape == (15, 3, 64, 64)
    assert images.dtype == np.uint8
    assert masks.shape == (15, 64, 64)
    assert masks.dtype == labels.dtype == np.bool_
    assert labels.tolist() == [False] * 3 + [True] * 12
    np.testing.assert_array_equal(images[:3], normal)
    assert not masks[:3].any()


@given(
    seed=st.integers(0, 10**6), size=st.sampled_from([64, 96]), grey=st.integers(0, 255),
    low=st.floats(0.08, 0.4), small=st.floats(0, 0.5),
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_each_anomaly_is_there_and_nothing_else_changes(
    seed: int, size: int, grey: int, low: float, small: float
) -> None:
    normal = np.full((1, 3, size, size), grey, np.uint8)
    config = ValidationConfig(contrast=(low, low + 0.1), shape_size=(small, 0.5), anomalies=2)
    images, masks, _ = synthetic_validation(normal, config, seed)
    for image, mask in zip(images[1:], masks[1:]):
        assert mask.any()
        np.testing.assert_array_equal(image[:, ~mask], normal[0][:, ~mask])
        change = np.abs(image[:, mask].astype(int) - normal[0][:, mask]).mean()
        assert change >= 2


def test_opacity_stays_in_the_range_of_contrast() -> None:
    """Opacity o of any colour c on x: x + o (c - x), so black and white images bound it."""
    config = ValidationConfig(contrast=(0.1, 0.3), anomalies=40)
    for grey in (0, 255):
        images, masks, _ = synthetic_validation(np.full((1, 3, 64, 64), grey, np.uint8), config, 1)
        changes = [np.abs(i[:, m].astype(int) - grey).max() for i, m in zip(images[1:], masks[1:])]
        assert max(changes) <= 0.3 * 255 + 0.5
        assert max(changes) > 0.15 * 255


def test_colour_is_uniform_within_a_shape() -> None:
    images, masks, _ = synthetic_validation(np.full((2, 3, 64, 64), 120, np.uint8), CONFIG, 3)
    for image, mask in zip(images[2:], masks[2:]):
        assert (image[:, mask] == image[:, mask][:, :1]).all()


def test_a_structured_background_shines_through_in_proportion() -> None:
    config = ValidationConfig(contrast=(0.25, 0.25))
    normal = normal_images(1)
    images, masks, _ = synthetic_validation(normal, config, 0)
    inside, before = images[1][:, masks[1]].astype(float), normal[0][:, masks[1]].astype(float)
    colour = ((inside - 0.75 * before) / 0.25).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(inside, 0.75 * before + 0.25 * colour, atol=1.0)


def test_radius_stays_in_the_range_of_shape_size() -> None:
    config = ValidationConfig(shape_size=(0.1, 0.12), anomalies=30)
    _, masks, _ = synthetic_validation(normal_images(1, 128), config, 0)
    for mask in masks[1:]:
        y, x = np.nonzero(mask)
        reach = math.hypot(np.ptp(y), np.ptp(x)) / 2
        assert reach <= 0.12 * 128 * 2 + 2  # aspect 2 makes the long half axis 1.41 radii
        assert mask.sum() <= math.pi * (0.12 * 128 + 1.5) ** 2
        assert mask.sum() >= 0.2 * math.pi * (0.1 * 128) ** 2


def test_shapes_lie_wholly_in_the_image() -> None:
    config = ValidationConfig(anomalies=40)
    _, masks, _ = synthetic_validation(normal_images(1), config, 0)
    edges = np.ones((64, 64), bool)
    edges[1:-1, 1:-1] = False
    assert not masks[:, edges].any()


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    normal = normal_images()
    first, again = (synthetic_validation(normal, CONFIG, 4) for _ in range(2))
    for a, b in zip(first, again):
        np.testing.assert_array_equal(a, b)
    other = synthetic_validation(normal, CONFIG, 5)
    assert all((a != b).any() for a, b in zip(first[1][3:], other[1][3:]))


def test_an_images_anomalies_do_not_depend_on_which_others_are_held_out() -> None:
    normal = normal_images()
    _, together, _ = synthetic_validation(normal, CONFIG, 0)
    _, alone, _ = synthetic_validation(normal[2:], CONFIG, 0)
    np.testing.assert_array_equal(together[3 + 8 :], alone[1:])


def test_images_that_are_not_contiguous_are_the_same_images() -> None:
    normal = normal_images()
    turned = np.ascontiguousarray(normal.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    for a, b in zip(
        synthetic_validation(turned, CONFIG, 0), synthetic_validation(normal, CONFIG, 0)
    ):
        np.testing.assert_array_equal(a, b)


def test_no_held_out_image_and_no_contrast_are_errors() -> None:
    with pytest.raises(EmptyDataError, match="held-out"):
        synthetic_validation(normal_images(0), CONFIG, 0)
    with pytest.raises(SettingError, match=r"validation\.contrast"):
        synthetic_validation(normal_images(), ValidationConfig(contrast=(0.0, 0.001)), 0)
    with pytest.raises(SettingError, match="from small to large"):
        synthetic_validation(normal_images(), ValidationConfig(shape_size=(0.2, 0.1)), 0)


def test_the_shapes_are_the_papers_and_fit_the_unit_circle() -> None:
    assert set(SHAPES) == {"rectangle", "triangle", "lightning", "star", "heart", "circle"}
    for polygon in SHAPES.values():
        reach = np.hypot(*polygon.T)
        assert 0.9 < reach.max() <= 1.0 + 1e-9


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_shapes_area_is_its_polygons_at_any_aspect_and_angle(name: str) -> None:
    x, y = SHAPES[name].T
    area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2  # the shoelace formula
    for aspect, angle in [(1.0, 0.0), (2.0, 0.7), (0.5, 2.0)]:
        mask = shape_mask(SHAPES[name], (128.0, 127.0), 80, aspect, angle, 256)
        assert mask.sum() == pytest.approx(area * 80**2, rel=0.08)


def test_a_circle_is_the_points_within_its_radius() -> None:
    mask = shape_mask(SHAPES["circle"], (31.0, 30.0), 12, 1.0, 0.4, 64)
    y, x = np.mgrid[:64, :64]
    distance = np.hypot(y - 30, x - 31)
    assert mask[distance < 11.3].all()
    assert not mask[distance > 13].any()


@given(radius=st.floats(0.1, 5), place=st.floats(6, 57), angle=st.floats(0, 6))
@settings(max_examples=30, deadline=None)
def test_no_shape_within_the_image_is_empty(radius: float, place: float, angle: float) -> None:
    for polygon in SHAPES.values():
        assert shape_mask(polygon, (place, place), radius, 2.0, angle, 64).any()


def on_a_plain_ground(size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """(3, 3, S, S) images of a grey product on a white ground, and where it lies, (S, S)."""
    y, x = np.mgrid[:size, :size]
    product = (abs(y - 30) < 8) & (abs(x - 34) < 20)
    images = np.full((3, 3, size, size), 235, np.uint8)
    images[:, :, product] = np.random.default_rng(0).integers(60, 90, (3, 3, product.sum()))
    return images, product


def test_on_the_product_all_shapes_lie_on_it_and_cover_its_places_alike() -> None:
    images, product = on_a_plain_ground()
    config = ValidationConfig(place="product", anomalies=32, shape_size=(0.03, 0.1))
    changed, masks, labels = synthetic_validation(images, config, 0)
    found = masks[labels]
    assert found.any((1, 2)).all()
    assert not found[:, ~product].any()
    assert found.any(0)[product].mean() > 0.9
    for image, mask in zip(changed[labels], found):
        assert (image[:, ~mask] == images[:, :, ~mask]).all(1).any()


def test_where_no_product_can_be_cut_out_on_the_product_is_anywhere() -> None:
    normal = normal_images()
    config = ValidationConfig(place="product", anomalies=32, shape_size=(0.03, 0.1))
    _, masks, _ = synthetic_validation(normal, config, 0)
    assert masks.any(0).mean() > 0.5
