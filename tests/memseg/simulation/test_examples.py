"""The steps of figure 3, as they can be looked at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.config.method import SimulationConfig
from memseg.simulation.examples import MOVED, STRUCTURAL, TEXTURAL, simulated_examples
from memseg.simulation.examples import simulated_images as anomalous
from memseg.simulation.simulate import Simulator

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def pixels(images: torch.Tensor) -> Pixels:
    """(4, 3, 64, 64)."""
    return (255 * images).round().to(torch.uint8).numpy()


def test_the_steps_are_those_of_the_call(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    simulator = Simulator(SimulationConfig(), textures, 5, "cpu")
    found, masks = simulator(images, foregrounds, 7, range(4))
    steps = simulator.steps(images, foregrounds, 7, range(4))
    assert torch.equal(steps.anomalous, found)
    assert torch.equal(steps.masks, masks)
    assert torch.equal(steps.masks > 0, steps.binarised & steps.foregrounds)
    delta, mask = steps.delta[:, None, None, None], steps.masks[:, None]
    mixed = mask * (delta * steps.sources + (1 - delta) * images)
    torch.testing.assert_close(steps.blended, mixed)
    torch.testing.assert_close(steps.anomalous, (1 - mask) * images + mixed)


def test_a_lowered_level_is_said(images: torch.Tensor, textures: torch.Tensor) -> None:
    one_pixel = torch.zeros(1, 64, 64, dtype=torch.bool)
    one_pixel[0, 30, 30] = True
    config = SimulationConfig(perlin_threshold=0.999)
    steps = Simulator(config, textures, 0, "cpu").steps(images[:1], one_pixel, 0, [0])
    assert float(steps.levels) < 0.999
    assert torch.equal(steps.masks > 0, one_pixel)
    assert bool(steps.binarised[0, 30, 30])


def test_kinds_take_turns_and_one_without_a_share_is_left_out(
    pixels: Pixels, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    def kinds(**changes: float) -> list[str]:
        config = SimulationConfig(**changes)  # type: ignore[arg-type]
        found = simulated_examples(pixels, foregrounds.numpy(), textures.numpy(), config, 0)
        return [example.kind for example in found]

    assert kinds() == [TEXTURAL, STRUCTURAL] * 2
    assert kinds(texture_share=1.0) == [TEXTURAL] * 4
    assert kinds(texture_share=0.0) == [STRUCTURAL] * 4
    assert MOVED in kinds(texture_share=0.0, moved_share=1.0)


def test_examples_follow_the_seed_and_are_normal_outside_their_masks(
    pixels: Pixels, foregrounds: torch.Tensor, textures: torch.Tensor
) -> None:
    first, again, other = (
        simulated_examples(
            pixels, foregrounds.numpy(), textures.numpy(), SimulationConfig(), seed
        )
        for seed in (1, 1, 2)
    )  # fmt: skip
    assert np.array_equal(anomalous(first), anomalous(again))
    assert not np.array_equal(anomalous(first), anomalous(other))
    for example, image, foreground in zip(first, pixels, foregrounds.numpy()):
        assert np.array_equal(example.image, image)
        assert np.array_equal(example.anomalous[:, ~example.mask], image[:, ~example.mask])
        assert example.mask.any()
        assert not example.mask[~foreground].any()
        assert not example.blended[:, ~example.mask].any()


def test_examples_are_none_of_those_that_a_training_begins_with(
    pixels: Pixels, foregrounds: torch.Tensor, textures: torch.Tensor, images: torch.Tensor
) -> None:
    config = SimulationConfig(texture_share=1)
    examples = simulated_examples(
        pixels, np.ones((4, 64, 64), bool), textures.numpy(), config, seed=5
    )
    everywhere = torch.ones(4, 64, 64, dtype=torch.bool)
    _, masks = Simulator(config, textures, 5, "cpu")(images, everywhere, 0, range(4))
    for example, mask in zip(examples, masks):
        assert not np.array_equal(example.mask, mask.bool().numpy())
