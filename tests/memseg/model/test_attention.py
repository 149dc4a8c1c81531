"""Eq. 5-7 and coordinate attention against plain loops in float64."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.model.attention import CoordinateAttention, attention_maps, up

Array = npt.NDArray[np.float64]


def slow_up(image: Array) -> Array:
    """Bilinear, twice the side, pixel centres at half pixels, border values repeated."""
    height, width = image.shape
    out = np.zeros((2 * height, 2 * width))
    for y, x in np.ndindex(*out.shape):
        v = min(max((y + 0.5) / 2 - 0.5, 0), height - 1)
        u = min(max((x + 0.5) / 2 - 0.5, 0), width - 1)
        top, left = math.floor(v), math.floor(u)
        bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
        fy, fx = v - top, u - left
        out[y, x] = (
            image[top, left] * (1 - fy) * (1 - fx)
            + image[top, right] * (1 - fy) * fx
            + image[bottom, left] * fy * (1 - fx)
            + image[bottom, right] * fy * fx
        )
    return out


def slow_mean(level: Array) -> Array:
    total = np.zeros(level.shape[1:])
    for channel in level:
        total = total + channel
    return total / len(level)


def draw_difference(batch: int = 2) -> list[torch.Tensor]:
    random = np.random.default_rng(0)
    return [
        torch.from_numpy(random.uniform(0, 3, (batch, c, side, side)))
        for c, side in ((4, 16), (5, 8), (6, 4))
    ]


def test_up_sampling_is_bilinear() -> None:
    image = np.random.default_rng(1).normal(size=(3, 5))
    found = up(torch.from_numpy(image)[None, None])[0, 0].numpy()
    assert np.allclose(found, slow_up(image), atol=1e-12)


@pytest.mark.parametrize("m1_from", ["m2", "m3"])
def test_attention_maps_are_those_of_the_equations(m1_from: str) -> None:
    difference = draw_difference()
    m1, m2, m3 = attention_maps(difference, m1_from)
    assert (m1.shape, m2.shape, m3.shape) == ((2, 1, 16, 16), (2, 1, 8, 8), (2, 1, 4, 4))
    for b in range(2):
        d1, d2, d3 = (slow_mean(level[b].numpy()) for level in difference)
        expected3 = d3  # eq. 5
        expected2 = d2 * slow_up(expected3)  # eq. 6
        coarser = expected2 if m1_from == "m2" else slow_up(expected3)
        expected1 = d1 * slow_up(coarser)  # eq. 7, or the authors' code
        assert np.allclose(m3[b, 0].numpy(), expected3)
        assert np.allclose(m2[b, 0].numpy(), expected2)
        assert np.allclose(m1[b, 0].numpy(), expected1)


@pytest.mark.parametrize(("m1_from", "maps_in_m1"), [("m2", 3), ("m3", 2)])
def test_geometric_attention_is_the_root_of_the_product(m1_from: str, maps_in_m1: int) -> None:
    difference = draw_difference()
    product = attention_maps(difference, m1_from)
    roots = attention_maps(difference, m1_from, "geometric")
    for of_product, root, count in zip(product, roots, (maps_in_m1, 2, 1)):
        assert torch.allclose(root**count, of_product)


def test_coordinate_attention_weighs_by_row_and_column() -> None:
    torch.manual_seed(0)
    attention = CoordinateAttention(12).double().eval()
    attention.norm.running_mean.normal_()  # type: ignore[union-attr]
    attention.norm.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    features = torch.randn(2, 12, 3, 5, dtype=torch.float64)
    with torch.no_grad():
        found = attention(features)

    def squeezed(pooled: torch.Tensor) -> torch.Tensor:
        """A vector of 12 channels to the 8 in the middle, then h-swish."""
        z = attention.reduce.weight[:, :, 0, 0] @ pooled + attention.reduce.bias
        norm = attention.norm
        z = (z - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        z = z * norm.weight + norm.bias
        return z * (z + 3).clamp(0, 6) / 6

    assert attention.reduce.weight.shape[0] == 8
    with torch.no_grad():
        for b, y, x in np.ndindex(2, 3, 5):
            row = squeezed(features[b, :, y, :].sum(1) / 5)
            column = squeezed(features[b, :, :, x].sum(1) / 3)
            a = attention.rows.weight[:, :, 0, 0] @ row + attention.rows.bias
            e = attention.columns.weight[:, :, 0, 0] @ column + attention.columns.bias
            expected = 1 / (1 + (-a).exp()) * 1 / (1 + (-e).exp())
            assert torch.allclose(found[b, :, y, x], expected)


def test_coordinate_attention_reduces_by_32_but_not_below_8_channels() -> None:
    assert CoordinateAttention(128).reduce.out_channels == 8
    assert CoordinateAttention(512).reduce.out_channels == 16
