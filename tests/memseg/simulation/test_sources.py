import colorsys
import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config.method import SimulationConfig
from memseg.simulation.randomness import generator
from memseg.simulation.sources import (
    StructureDraw,
    draw_structure,
    recolour,
    shuffled_pixels,
    structure_noise,
    texture_noise,
)

GRID = (4, 8)


def neutral(**changes: object) -> StructureDraw:
    """A draw that changes nothing but what is asked for."""
    plain = StructureDraw(False, False, 0.0, 1.0, 1.0, 0.0, np.arange(32))
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def drawn(seed: int, config: SimulationConfig | None = None) -> StructureDraw:
    return draw_structure(generator(seed, "structure test"), config or SimulationConfig())


def test_nothing_drawn_changes_nothing(images: torch.Tensor) -> None:
    torch.testing.assert_close(structure_noise(images, [neutral()] * 4, GRID), images)


def test_mirrors_flip_rows_and_columns(images: torch.Tensor) -> None:
    draws = [neutral(mirror_x=x, mirror_y=y) for x in (False, True) for y in (False, True)]
    found = structure_noise(images, draws, GRID)
    expected = [images[0], images[1].flip(-2), images[2].flip(-1), images[3].flip(-1, -2)]
    torch.testing.assert_close(found, torch.stack(expected))


def test_a_quarter_turn_turns_the_image(images: torch.Tensor) -> None:
    found = structure_noise(images[:1], [neutral(angle=math.pi / 2)], GRID)
    torch.testing.assert_close(found, torch.rot90(images[:1], 1, (-2, -1)), atol=1e-5, rtol=0)


def test_corners_of_a_rotated_image_are_its_reflection_not_black() -> None:
    grey = torch.full((1, 3, 64, 64), 0.6)
    found = structure_noise(grey, [neutral(angle=math.pi / 4)], GRID)
    torch.testing.assert_close(found, grey)


@given(
    st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), min_size=3, max_size=3),
    st.floats(0.7, 1.3), st.floats(0.7, 1.3), st.floats(-0.5, 0.5),
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_colour_changes_are_colorsyss(
    rgb: list[float], brightness: float, saturation: float, hue: float
) -> None:
    h, s, v = colorsys.rgb_to_hsv(*rgb)
    changed = (h + hue) % 1, min(1, s * saturation), min(1, v * brightness)
    expected = torch.tensor(colorsys.hsv_to_rgb(*changed), dtype=torch.float32).reshape(1, 3, 1, 1)
    factors = (torch.tensor([value]) for value in (brightness, saturation, hue))
    found = recolour(torch.tensor(rgb).reshape(1, 3, 1, 1), *factors)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_shuffling_moves_whole_cells_and_keeps_every_pixel(seed: int) -> None:
    order = generator(seed, "order").permutation(32)
    y, x = shuffled_pixels(torch.from_numpy(order)[None], 64, GRID)
    picture = np.arange(64 * 64).reshape(64, 64)
    cells = [
        picture[16 * (cell // 8) : 16 * (cell // 8) + 16, 8 * (cell % 8) : 8 * (cell % 8) + 8]
        for cell in order
    ]
    expected = np.block([[cells[8 * i + j] for j in range(8)] for i in range(4)])
    found = picture[y[0].numpy(), x[0].numpy()]
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) == 64 * 64


@given(size=st.sampled_from([64, 65, 96, 128]), rows=st.integers(1, 64), columns=st.integers(1, 64))
@settings(max_examples=20, deadline=None)
def test_any_grid_shows_each_cell_in_its_place(size: int, rows: int, columns: int) -> None:
    order = generator(size, "order", rows, columns).permutation(rows * columns)
    y, x = (
        p[0].numpy() for p in shuffled_pixels(torch.from_numpy(order)[None], size, (rows, columns))
    )
    row_starts = [i * size // rows for i in range(rows + 1)]
    column_starts = [j * size // columns for j in range(columns + 1)]
    for cell in range(0, rows * columns, max(1, rows * columns // 40)):
        shown = int(order[cell])
        top, left = row_starts[cell // columns], column_starts[cell % columns]
        from_y, to_y = row_starts[shown // columns], row_starts[shown // columns + 1]
        from_x, to_x = column_starts[shown % columns], column_starts[shown % columns + 1]
        assert (y[top, left], x[top, left]) == (from_y, from_x)
        block = (
            slice(top, row_starts[cell // columns + 1]),
            slice(left, column_starts[cell % columns + 1]),
        )
        assert ((y[block] >= from_y) & (y[block] < to_y)).all()
        assert ((x[block] >= from_x) & (x[block] < to_x)).all()


def test_doing_all_at_once_is_rotating_then_recolouring_then_shuffling(
    images: torch.Tensor,
) -> None:
    draws = [drawn(seed) for seed in range(4)]
    kept = [neutral(mirror_x=d.mirror_x, mirror_y=d.mirror_y, angle=d.angle) for d in draws]
    step_by_step = structure_noise(images, kept, GRID)
    factors = [
        torch.tensor([getattr(d, name) for d in draws], dtype=torch.float32)
        for name in ("brightness", "saturation", "hue")
    ]
    step_by_step = recolour(step_by_step, *factors)
    step_by_step = structure_noise(step_by_step, [neutral(order=d.order) for d in draws], GRID)
    torch.testing.assert_close(
        structure_noise(images, draws, GRID), step_by_step, atol=1e-4, rtol=0
    )


def test_draws_stay_within_their_settings() -> None:
    config = SimulationConfig(
        structure_rotation=30.0, structure_brightness=0.2, structure_saturation=0.4,
        structure_hue=0.05, structure_grid=(2, 3),
    )  # fmt: skip
    draws = [drawn(seed, config) for seed in range(200)]
    for values, limit in [
        ([math.degrees(d.angle) for d in draws], 30),
        ([d.brightness - 1 for d in draws], 0.2),
        ([d.saturation - 1 for d in draws], 0.4),
        ([d.hue for d in draws], 0.05),
    ]:
        assert max(map(abs, values)) <= limit
        assert max(values) > 0.9 * limit
        assert min(values) < -0.9 * limit
    assert {(d.mirror_x, d.mirror_y) for d in draws} == {
        (x, y) for x in (False, True) for y in (False, True)
    }
    assert all(sorted(d.order) == list(range(6)) for d in draws)


def test_structural_noise_of_an_image_does_not_depend_on_the_others(images: torch.Tensor) -> None:
    draws = [drawn(seed) for seed in range(4)]
    alone = [structure_noise(images[i : i + 1], draws[i : i + 1], GRID) for i in range(4)]
    assert torch.equal(structure_noise(images, draws, GRID), torch.cat(alone))


def test_texture_noise_is_the_chosen_textures(textures: torch.Tensor) -> None:
    found = texture_noise(textures, [3, 0, 3])
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), textures.numpy()[[3, 0, 3]] / 255, atol=1e-7)
