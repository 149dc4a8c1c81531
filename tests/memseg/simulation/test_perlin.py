import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.simulation.perlin import (
    PerlinDraw,
    canvas_side,
    draw_perlin,
    node_range,
    perlin_noise,
)
from memseg.simulation.randomness import generator

CPU = torch.device("cpu")


def fade(t: float) -> float:
    return 6 * t**5 - 15 * t**4 + 10 * t**3


def noise_at(draw: PerlinDraw, y: float, x: float, size: int) -> float:
    """Perlin noise at one point of the image that is not turned, as one writes it down [22]."""
    y, x = y * draw.rows / size, x * draw.columns / size
    i, j = math.floor(y), math.floor(x)
    first_i, first_j = node_range(draw.rows, size)[0], node_range(draw.columns, size)[0]
    dots = {}
    for a in (0, 1):
        for b in (0, 1):
            gradient_y, gradient_x = draw.gradients[:, i + a - first_i, j + b - first_j]
            dots[a, b] = gradient_y * (y - i - a) + gradient_x * (x - j - b)
    u, v = fade(y - i), fade(x - j)
    upper = dots[0, 0] * (1 - v) + dots[0, 1] * v
    lower = dots[1, 0] * (1 - v) + dots[1, 1] * v
    return math.sqrt(2) * (upper * (1 - u) + lower * u)


def turned(draw: PerlinDraw, y: float, x: float, size: int) -> tuple[float, float]:
    """Where a point of the image lies in the lattice's own frame, in pixels."""
    y, x = y - size / 2, x - size / 2
    cosine, sine = math.cos(draw.angle), math.sin(draw.angle)
    return sine * x + cosine * y + size / 2, cosine * x - sine * y + size / 2


def interpolated(draw: PerlinDraw, y: float, x: float, size: int) -> float:
    """The noise between four neighbouring pixel centres."""
    i, j = math.floor(y - 0.5) + 0.5, math.floor(x - 0.5) + 0.5
    u, v = y - i, x - j
    return (
        noise_at(draw, i, j, size) * (1 - u) * (1 - v)
        + noise_at(draw, i, j + 1, size) * (1 - u) * v
        + noise_at(draw, i + 1, j, size) * u * (1 - v)
        + noise_at(draw, i + 1, j + 1, size) * u * v
    )


def each_pixel(size: int, value) -> np.ndarray:  # type: ignore[no-untyped-def]
    return np.array([[value(y + 0.5, x + 0.5) for x in range(size)] for y in range(size)])


def a_draw(seed: int, size: int, exponents: tuple[int, int] = (0, 5)) -> PerlinDraw:
    return draw_perlin(generator(seed, "perlin test"), exponents, size)


@pytest.mark.parametrize("seed", range(4))
def test_noise_that_is_not_turned_equals_the_textbooks_pixel_by_pixel(seed: int) -> None:
    draw = dataclasses.replace(a_draw(seed, 32), angle=0.0)
    expected = each_pixel(32, lambda y, x: noise_at(draw, y, x, 32))
    np.testing.assert_allclose(perlin_noise([draw], 32, CPU)[0], expected, atol=5e-6)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_is_exact(quarters: int) -> None:
    draw = dataclasses.replace(a_draw(7, 32), angle=quarters * math.pi / 2)
    expected = each_pixel(32, lambda y, x: noise_at(draw, *turned(draw, y, x, 32), 32))
    np.testing.assert_allclose(perlin_noise([draw], 32, CPU)[0], expected, atol=2e-5)


@pytest.mark.parametrize("seed", range(3))
def test_turned_noise_equals_interpolation_between_pixels_of_the_lattices_frame(seed: int) -> None:
    draw = a_draw(seed, 32)
    expected = each_pixel(32, lambda y, x: interpolated(draw, *turned(draw, y, x, 32), 32))
    np.testing.assert_allclose(perlin_noise([draw], 32, CPU)[0], expected, atol=2e-5)


def test_turned_coarse_noise_is_close_to_the_textbooks_at_turned_points() -> None:
    draw = a_draw(5, 64, (1, 2))
    expected = each_pixel(64, lambda y, x: noise_at(draw, *turned(draw, y, x, 64), 64))
    np.testing.assert_allclose(perlin_noise([draw], 64, CPU)[0], expected, atol=5e-3)


def test_at_nodes_of_the_lattice_noise_is_zero() -> None:
    draw = dataclasses.replace(a_draw(2, 24, (4, 4)), angle=0.0)  # cells of 1.5 pixels
    noise = perlin_noise([draw], 24, CPU)[0]
    assert noise[1::3, 1::3].abs().max() < 1e-5
    assert noise.abs().max() > 0.1


@given(seed=st.integers(0, 1000), size=st.sampled_from([32, 64, 96, 128]))
@settings(max_examples=20, deadline=None)
def test_noise_is_finite_within_its_range_and_not_flat(seed: int, size: int) -> None:
    noise = perlin_noise([a_draw(seed, size)], size, CPU)
    assert noise.shape == (1, size, size)
    assert noise.dtype == torch.float32
    assert noise.abs().max() < 1
    assert noise.std() > 1e-3


def test_an_image_of_noise_does_not_depend_on_the_others_of_its_batch() -> None:
    draws = [a_draw(seed, 128) for seed in range(5)]
    together = perlin_noise(draws, 128, CPU)
    alone = torch.cat([perlin_noise([draw], 128, CPU) for draw in draws])
    assert torch.equal(together, alone)


def test_exponents_are_drawn_from_first_to_last_and_no_others() -> None:
    draws = [a_draw(seed, 64, (1, 3)) for seed in range(100)]
    assert {d.rows for d in draws} == {d.columns for d in draws} == {2, 4, 8}


@pytest.mark.parametrize(("size", "finest"), [(16, 16), (24, 16), (64, 64)])
def test_the_lattice_never_has_more_cells_than_the_image_has_pixels(size: int, finest: int) -> None:
    draws = [a_draw(seed, size, (6, 6)) for seed in range(3)]
    assert {d.rows for d in draws} == {finest}
    assert perlin_noise(draws, size, CPU).isfinite().all()


@pytest.mark.parametrize("size", [16, 64, 96, 128, 256, 1024])
def test_the_canvas_covers_the_image_at_any_angle(size: int) -> None:
    assert canvas_side(size) >= math.sqrt(2) * size + 1
    assert canvas_side(size) % 2 == size % 2


def test_gradients_have_length_one_and_every_direction() -> None:
    gradients = a_draw(0, 64, (5, 5)).gradients
    np.testing.assert_allclose((gradients**2).sum(0), 1, atol=1e-6)
    assert np.abs(gradients.mean((1, 2))).max() < 0.1
