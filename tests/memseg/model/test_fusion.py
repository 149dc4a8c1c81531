"""Multi-scale fusion (section 3.3, figure 4) against plain numpy in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from memseg.model.fusion import Fusion, LevelFusion

Array = npt.NDArray[np.float64]
State = dict[str, Array]

INPUTS, OUTPUTS, SIDES = (6, 10, 12), (64, 128, 256), (8, 4, 2)


# The plain reference. Features of one image are (C, H, W).


def convolve(x: Array, weight: Array) -> Array:
    """3x3, the border padded with zeros."""
    _, height, width = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(weight), height, width))
    for row, column in np.ndindex(height, width):
        window = padded[:, row : row + 3, column : column + 3]
        out[:, row, column] = (weight * window).sum((1, 2, 3))
    return out


def normalise(x: Array, state: State, name: str) -> Array:
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    scale, shift = state[f"{name}.weight"], state[f"{name}.bias"]
    spread = np.sqrt(variance + 1e-5)
    wide = (slice(None), *(None,) * (x.ndim - 1))
    return (x - mean[wide]) / spread[wide] * scale[wide] + shift[wide]


def block(x: Array, state: State, name: str) -> Array:
    """Convolution, BatchNorm, ReLU."""
    found = normalise(convolve(x, state[f"{name}.0.weight"]), state, f"{name}.1")
    return np.maximum(found, 0)


def dense(x: Array, state: State, name: str) -> Array:
    """A 1x1 convolution of (C, L)."""
    return state[f"{name}.weight"][:, :, 0, 0] @ x + state[f"{name}.bias"][:, None]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def coordinate_weight(x: Array, state: State, name: str) -> Array:
    """A weight for each row times one for each column, by channel."""

    def along(means: Array, direction: str) -> Array:
        middle = normalise(dense(means, state, f"{name}.reduce"), state, f"{name}.norm")
        active = middle * np.clip(middle + 3, 0, 6) / 6
        return sigmoid(dense(active, state, f"{name}.{direction}"))

    rows, columns = along(x.mean(2), "rows"), along(x.mean(1), "columns")
    return rows[:, :, None] * columns[:, None, :]


def level_fusion(x: Array, state: State, name: str, attention: bool) -> Array:
    mixed = block(x, state, f"{name}mix")
    if attention:
        mixed = mixed * coordinate_weight(mixed, state, f"{name}attention")
    return block(block(mixed, state, f"{name}reduce.0"), state, f"{name}reduce.1")


def twice(x: Array) -> Array:
    """Bilinear, pixel centres at half pixels, border values repeated."""

    def matrix(side: int) -> Array:
        out = np.zeros((2 * side, side))
        for i in range(2 * side):
            place = min(max((i + 0.5) / 2 - 0.5, 0), side - 1)
            low = int(place)
            out[i, low] += 1 - (place - low)
            out[i, min(low + 1, side - 1)] += place - low
        return out

    return matrix(x.shape[1]) @ x @ matrix(x.shape[2]).T


def fusion(levels: list[Array], state: State, attention: bool, multi_scale: bool) -> list[Array]:
    first, second, third = (
        level_fusion(x, state, f"levels.{i}.", attention) for i, x in enumerate(levels)
    )
    if multi_scale:
        second = second + block(twice(third), state, "align.1")
        first = first + block(twice(second), state, "align.0")
    return [first, second, third]


# Modules whose every number matters


def trained(module: nn.Module) -> nn.Module:
    """In eval mode and float64, with BatchNorm as after a training."""
    generator = torch.Generator().manual_seed(4)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.weight.data.uniform_(0.5, 1.5, generator=generator)
            norm.bias.data.normal_(0, 0.3, generator=generator)
            norm.running_mean.normal_(0, 0.3, generator=generator)  # type: ignore[union-attr]
            norm.running_var.uniform_(0.2, 2, generator=generator)  # type: ignore[union-attr]
    return module.double().eval()


def made(make: type[nn.Module], *arguments: object) -> tuple[nn.Module, State]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = trained(make(*arguments))
    return module, {name: value.numpy() for name, value in module.state_dict().items()}


def close(found: torch.Tensor, expected: list[Array]) -> bool:
    wanted = np.stack(expected)
    assert float(wanted.std()) > 1e-3  # not all the same, so that the comparison says something
    return found.shape == wanted.shape and np.allclose(found.numpy(), wanted, atol=1e-10)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize(("height", "width"), [(5, 5), (3, 6)])
def test_a_level_is_mixed_weighed_and_reduced(attention: bool, height: int, width: int) -> None:
    level, state = made(LevelFusion, 6, 4, attention)
    x = np.random.default_rng(0).normal(size=(2, 6, height, width))
    with torch.no_grad():
        found = level(torch.from_numpy(x))
    assert close(found, [level_fusion(one, state, "", attention) for one in x])


def test_coordinate_attention_of_a_level_changes_it() -> None:
    level, state = made(LevelFusion, 6, 4, True)
    x = np.random.default_rng(0).normal(size=(6, 5, 5))
    with torch.no_grad():
        found = level(torch.from_numpy(x)[None])
    assert not close(found, [level_fusion(x, state, "", attention=False)])


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("multi_scale", [True, False])
def test_coarser_levels_are_aligned_and_added_from_the_coarsest_on(
    attention: bool, multi_scale: bool
) -> None:
    module, state = made(Fusion, INPUTS, attention, multi_scale)
    random = np.random.default_rng(1)
    levels = [random.normal(size=(c, side, side)) for c, side in zip(INPUTS, SIDES)]
    with torch.no_grad():
        found = module([torch.from_numpy(level)[None] for level in levels])
    expected = fusion(levels, state, attention, multi_scale)
    assert [tuple(level.shape[1:]) for level in found] == [
        (c, side, side) for c, side in zip(OUTPUTS, SIDES)
    ]
    for level, wanted in zip(found, expected):
        assert close(level, [wanted])


def test_what_is_given_stays_as_it_is() -> None:
    module, _ = made(Fusion, INPUTS, True, True)
    levels = [torch.ones(1, c, side, side).double() for c, side in zip(INPUTS, SIDES)]
    with torch.no_grad():
        module(levels)
    assert all(bool((level == 1).all()) for level in levels)


def test_levels_of_the_concatenation_have_the_channels_of_the_blocks_twice() -> None:
    module, _ = made(Fusion, (128, 256, 512), True, True)
    widths = [tuple(level.mix[0].weight.shape[:2]) for level in module.levels]
    assert widths == [(128, 128), (256, 256), (512, 512)]
    reduced = [tuple(level.reduce[0][0].weight.shape[:2]) for level in module.levels]
    assert reduced == [(64, 128), (128, 256), (256, 512)]
    assert [tuple(a[0].weight.shape[:2]) for a in module.align] == [(64, 128), (128, 256)]
