import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config.method import SimulationConfig
from memseg.errors import DataError, EmptyDataError, SettingError
from memseg.simulation.blending import noise_foreground, superimpose
from memseg.simulation.perlin import draw_perlin, perlin_noise
from memseg.simulation.randomness import generator
from memseg.simulation.simulate import ATTEMPTS, Simulator, draw_source
from memseg.simulation.sources import structure_noise, texture_noise

CONFIG = SimulationConfig()


def simulator(textures: torch.Tensor, seed: int = 0, **changes: object) -> Simulator:
    return Simulator(SimulationConfig(**changes), textures, seed, "cpu")  # type: ignore[arg-type]


def same(a: tuple[torch.Tensor, ...], b: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@given(seed=st.integers(0, 10**6), step=st.integers(0, 10**4), corners=st.tuples(
    st.integers(0, 63), st.integers(0, 63), st.integers(1, 64), st.integers(1, 64)))  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_anomalies_lie_in_the_foreground_and_change_nothing_else(
    images: torch.Tensor, textures: torch.Tensor, seed: int, step: int, corners: tuple[int, ...]
) -> None:
    top, left, height, width = corners
    foregrounds = torch.zeros(2, 64, 64, dtype=torch.bool)
    foregrounds[0] = True
    foregrounds[1, top : top + height, left : left + width] = True
    found, masks = simulator(textures, seed)(images[:2], foregrounds, step, [4, 9])
    assert found.dtype == masks.dtype == torch.float32
    assert ((masks == 0) | (masks == 1)).all()
    assert masks.flatten(1).any(1).all()
    assert not masks.bool()[~foregrounds].any()
    outside = ~masks.bool()[:, None].expand_as(found)
    assert torch.equal(found[outside], images[:2][outside])
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("parts", [[[0, 1], [2, 3]], [[0], [1, 2, 3]], [[3, 1], [2, 0]]])
@pytest.mark.parametrize("step", [0, 1, 17])
def test_any_split_of_a_batch_gives_the_same_bits(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor,
    parts: list[list[int]], step: int,
) -> None:  # fmt: skip
    whole = simulator(textures)(images, foregrounds, step, range(4))
    for part in parts:
        found = simulator(textures)(images[part], foregrounds[part], step, part)
        assert same(found, (whole[0][part], whole[1][part]))


def test_a_resumed_run_sees_the_same_anomalies(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    going = simulator(textures)
    all_steps = [going(images, foregrounds, step, range(4)) for step in range(6)]
    resumed = simulator(textures)
    for step in range(3, 6):
        assert same(resumed(images, foregrounds, step, range(4)), all_steps[step])


def test_seed_step_and_position_each_change_the_anomaly(
    images: torch.Tensor, textures: torch.Tensor
) -> None:
    image, everywhere = images[:1], torch.ones(1, 64, 64, dtype=torch.bool)
    places = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    found = [
        simulator(textures, seed)(image, everywhere, step, [position])
        for seed, step, position in places
    ]
    for i in range(4):
        for j in range(i):
            assert not torch.equal(found[i][1], found[j][1])


def test_a_batch_is_drawn_rendered_and_blended_as_the_paper_says(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    """One image at a time, in the order of figure 3."""
    found, masks = simulator(textures, 5)(images, foregrounds, 2, range(4))
    kinds = set()
    for i in range(4):
        for attempt in range(ATTEMPTS):
            random = generator(5, "anomaly mask", 2, i, attempt)
            noise = perlin_noise([draw_perlin(random, (0, 5), 64)], 64, torch.device("cpu"))
            mask = ((noise > 0.5) & foregrounds[i]).float()
            if mask.any():
                break
        draw = draw_source(CONFIG, 5, 5, 2, i)
        image = images[i : i + 1]
        if draw.structure is None:
            assert draw.texture is not None
            source = texture_noise(textures, [draw.texture])
        else:
            source = structure_noise(image, [draw.structure], (4, 8))
        kinds.add(draw.structure is None)
        delta = torch.tensor([draw.delta])
        expected = superimpose(image, noise_foreground(image, source, mask, delta), mask)
        assert torch.equal(masks[i], mask[0])
        assert torch.equal(found[i], expected[0])
    assert kinds == {False, True}


def test_masks_that_would_be_empty_are_drawn_again(
    images: torch.Tensor, textures: torch.Tensor
) -> None:
    everywhere = torch.ones(1, 64, 64, dtype=torch.bool)
    empty = []
    for step in range(60):
        random = generator(0, "anomaly mask", step, 0, 0)
        noise = perlin_noise([draw_perlin(random, (0, 1), 64)], 64, torch.device("cpu"))
        if not (noise > 0.5).any():
            empty.append(step)
    assert empty
    again = simulator(textures, perlin_exponents=(0, 1))
    for step in empty[:5]:
        assert again(images[:1], everywhere, step, [0])[1].any()


def test_a_foreground_the_noise_never_reaches_gets_a_lower_threshold(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    unreached = simulator(textures, perlin_threshold=0.9999)
    whole = unreached(images, foregrounds, 0, range(4))
    masks = whole[1].bool()
    assert masks.flatten(1).any(1).all()
    assert not masks[~foregrounds].any()
    assert not masks.flatten(1).all(1).any()
    part = unreached(images[2:], foregrounds[2:], 0, [2, 3])
    assert same(part, (whole[0][2:], whole[1][2:]))


def test_delta_is_uniform_in_its_range_and_is_the_noises_share() -> None:
    black = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    white, everywhere = torch.ones(1, 3, 64, 64), torch.ones(1, 64, 64, dtype=torch.bool)
    make = simulator(black, texture_share=1.0, transparency=(0.3, 0.8))
    shares = []
    for step in range(40):
        found, masks = make(white, everywhere, step, [0])
        inside = found[0, :, masks[0].bool()]
        assert inside.std() < 1e-6
        shares.append(1 - float(inside[0, 0]))
    assert min(shares) >= 0.3 - 1e-6
    assert max(shares) <= 0.8 + 1e-6
    assert abs(np.mean(shares) - 0.55) < 0.08


def test_the_papers_range_of_delta_is_the_default() -> None:
    deltas = [draw_source(CONFIG, 5, 0, step, 0).delta for step in range(300)]
    assert 0.15 <= min(deltas) < 0.2
    assert 0.95 < max(deltas) <= 1


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.5, 160, 240), (1.0, 400, 400)])
def test_textures_get_their_share(share: float, low: int, high: int) -> None:
    config = SimulationConfig(texture_share=share)
    draws = [draw_source(config, 5, 0, step, 1) for step in range(400)]
    textural = [d for d in draws if d.texture is not None]
    assert low <= len(textural) <= high
    assert all((d.texture is None) != (d.structure is None) for d in draws)
    assert {d.texture for d in textural} <= set(range(5))


def test_every_texture_is_used() -> None:
    config = SimulationConfig(texture_share=1.0)
    assert {draw_source(config, 5, 0, step, 0).texture for step in range(100)} == set(range(5))


@pytest.mark.parametrize("size", [64, 128, 256])
def test_all_sizes_work(size: int) -> None:
    random = torch.Generator().manual_seed(size)
    images = torch.rand(2, 3, size, size, generator=random)
    textures = torch.zeros(1, 3, size, size, dtype=torch.uint8)
    make = simulator(textures, perlin_exponents=(0, 6), structure_grid=(5, 7))
    everywhere = torch.ones(2, size, size, dtype=torch.bool)
    found, masks = make(images, everywhere, 0, [0, 1])
    assert found.shape == images.shape
    assert masks.shape == (2, size, size)


def test_memory_layout_and_half_precision_of_the_caller_change_no_bit(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    expected = simulator(textures)(images, foregrounds, 0, range(4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = simulator(textures)(
            images.contiguous(memory_format=torch.channels_last), foregrounds, 0, range(4)
        )
    assert same(found, expected)


def test_inputs_and_global_random_state_are_left_alone(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    before = images.clone(), foregrounds.clone(), textures.clone(), torch.get_rng_state()
    simulator(textures)(images, foregrounds, 0, range(4))
    assert same((images, foregrounds, textures, torch.get_rng_state()), before)


def test_no_positions_give_nothing(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    found, masks = simulator(textures)(images[:0], foregrounds[:0], 0, [])
    assert found.shape == (0, 3, 64, 64)
    assert masks.shape == (0, 64, 64)


def test_structural_anomalies_alone_need_no_texture(
    images: torch.Tensor, foregrounds: torch.Tensor
) -> None:
    none = torch.zeros(0, 3, 64, 64, dtype=torch.uint8)
    make = simulator(none, texture_share=0.0)
    assert make(images, foregrounds, 0, range(4))[1].any()
    with pytest.raises(EmptyDataError, match="texture_share"):
        simulator(none)


def test_an_empty_foreground_is_an_error_that_names_the_place(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    empty = foregrounds.clone()
    empty[2] = False
    with pytest.raises(DataError, match="position 6 of step 9"):
        simulator(textures)(images, empty, 9, [4, 5, 6, 7])


def test_a_threshold_above_all_noise_is_refused(textures: torch.Tensor) -> None:
    with pytest.raises(SettingError, match="perlin_threshold must be at most"):
        simulator(textures, perlin_threshold=1.2)


def test_textures_of_another_size_and_too_fine_grids_are_refused(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    with pytest.raises(DataError, match="32 pixels a side, the images 64"):
        simulator(textures[:, :, ::2, ::2])(images, foregrounds, 0, range(4))
    with pytest.raises(SettingError, match="structure_grid must have at most 32"):
        simulator(textures[:, :, ::2, ::2], structure_grid=(4, 64))(
            images[:, :, ::2, ::2], foregrounds[:, ::2, ::2], 0, range(4)
        )


def test_a_foreground_of_one_pixel_is_anomalous_there(
    images: torch.Tensor, textures: torch.Tensor
) -> None:
    one = torch.zeros(1, 64, 64, dtype=torch.bool)
    one[0, 7, 9] = True
    _, mask = simulator(textures, perlin_threshold=0.9999)(images[:1], one, 0, [0])
    assert torch.equal(mask.bool(), one)
