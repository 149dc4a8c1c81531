"""Validation anomalies that are a part turned in its place."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.config.method import ValidationConfig
from memseg.simulation.region import LEAST_SHARE
from memseg.simulation.synthetic import synthetic_validation, turned_validation
from memseg.simulation.turned import ATTEMPTS, _draw, _turned, turned_part

SIZE = (0.1, 0.3)
Images = npt.NDArray[np.uint8]


@pytest.fixture
def held_out(images: torch.Tensor) -> Images:
    return (images * 255).to(torch.uint8).numpy()


@pytest.mark.parametrize("seed", range(5))
def test_a_part_is_the_image_turned_and_the_rest_is_as_it_was(held_out: Images, seed: int) -> None:
    found = turned_part(held_out[0], SIZE, np.random.default_rng(seed))
    assert found is not None
    image, mask = found
    assert image.dtype == np.uint8
    assert mask.sum() >= LEAST_SHARE * mask.size
    assert np.array_equal(image[:, ~mask], held_out[0][:, ~mask])
    assert (image != held_out[0]).any()


@pytest.mark.parametrize("seed", range(4))
def test_within_the_mask_it_is_the_picture_turned_about_the_parts_centre(seed: int) -> None:
    """Pixel by pixel: what a turn back finds there, between four pixels."""
    rows, columns = np.mgrid[:32, :32]
    image = np.stack([
        127 + 110 * np.sin(rows / 5 + channel) * np.cos(columns / 4) for channel in range(3)
    ]).astype(np.uint8)  # fmt: skip
    middle = np.zeros((32, 32), np.bool_)
    middle[12:20, 12:20] = True
    found = turned_part(image, SIZE, np.random.default_rng(seed), middle)
    assert found is not None
    turned, mask = found
    random = np.random.default_rng(seed)
    for _ in range(ATTEMPTS):  # the first of the draws that changes enough
        region, degrees = _draw(random, SIZE, middle)
        inside = region.mask(32, torch.device("cpu")).numpy()
        if inside[mask].all():
            break
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    compared = 0
    for row, column in zip(*np.nonzero(mask)):
        y = row + 0.5 - 32 * region.centre[0]
        x = column + 0.5 - 32 * region.centre[1]
        from_row = sine * x + cosine * y + 32 * region.centre[0] - 0.5
        from_column = cosine * x - sine * y + 32 * region.centre[1] - 0.5
        top, left = math.floor(from_row), math.floor(from_column)
        if not (0 <= top < 31 and 0 <= left < 31):
            continue  # beyond the image: its reflection
        down, right = from_row - top, from_column - left
        four = image[:, top : top + 2, left : left + 2].astype(float)
        between = four @ [1 - right, right] @ [1 - down, down]
        assert np.abs(between - turned[:, row, column]).max() <= 4
        compared += 1
    assert compared >= 0.5 * mask.sum()


def test_turning_keeps_the_centre_and_moves_what_is_beside_it() -> None:
    image = np.zeros((3, 64, 64), np.uint8)
    image[:, 32, 32] = 255
    image[:, 32, 40] = 200
    found = _turned(image, (32.5 / 64, 32.5 / 64), 90)
    assert (found[:, 32, 32] == 255).all()
    assert (found[:, 24, 32] == 200).all()
    assert found[0].sum(dtype=int) == 455


def test_an_image_alike_everywhere_cannot_be_turned_and_gets_a_shape() -> None:
    grey = np.full((1, 3, 64, 64), 120, np.uint8)
    assert turned_part(grey[0], SIZE, np.random.default_rng(0)) is None
    images, masks = turned_validation(grey, ValidationConfig(turned=3), seed=0)
    assert images.shape == (3, 3, 64, 64)
    assert masks.any((1, 2)).all()
    for image, mask in zip(images, masks):
        assert (image[:, mask] != 120).any()
        assert (image[:, ~mask] == 120).all()


def test_copies_follow_seed_content_and_number_and_leave_the_shapes_alone(held_out: Images) -> None:
    config = ValidationConfig(turned=2)
    images, masks = turned_validation(held_out, config, seed=3)
    assert len(images) == len(masks) == 2 * len(held_out)
    again = turned_validation(held_out, config, seed=3)
    assert np.array_equal(images, again[0])
    assert np.array_equal(masks, again[1])
    backwards = turned_validation(held_out[::-1], config, seed=3)[0]
    assert np.array_equal(backwards[:2], images[-2:])
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(turned_validation(held_out, config, seed=4)[0], images)
    for one, other in zip(
        synthetic_validation(held_out, config, 3),
        synthetic_validation(held_out, ValidationConfig(), 3),
    ):
        assert np.array_equal(one, other)
    assert len(turned_validation(held_out, ValidationConfig(), 3)[0]) == 0


def test_on_the_product_the_parts_centre_lies_on_it(held_out: Images) -> None:
    product = np.zeros(held_out.shape[2:], np.bool_)
    product[10:14, 40:50] = True
    middles = []
    for seed in range(12):
        found = turned_part(held_out[0], (0.1, 0.12), np.random.default_rng(seed), product)
        assert found is not None
        rows, columns = np.nonzero(found[1])
        middles.append((rows.mean(), columns.mean()))
    near = np.array(middles) - np.array([11.5, 44.5])
    assert np.abs(near).max() < 12
