"""Noise images I_n: textures, and the normal image itself disarranged (section 3.1).

B batch, S side in pixels, T textures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import grid_sample

from memseg.config.method import SimulationConfig


@dataclass(frozen=True)
class StructureDraw:
    """Everything random about one structural noise image."""

    mirror_x: bool
    mirror_y: bool
    angle: float
    """Rotation in radians."""
    brightness: float
    """Multiplies the value (HSV)."""
    saturation: float
    """Multiplies the saturation (HSV)."""
    hue: float
    """Added to the hue, as a share of the circle."""
    order: npt.NDArray[np.int64]
    """(rows * columns,): cell c of the noise image shows cell ``order[c]``, row by row."""


def draw_structure(random: np.random.Generator, config: SimulationConfig) -> StructureDraw:
    """Draws mirroring, rotation, colour and the order of the grid's cells."""
    rows, columns = config.structure_grid
    mirror_y, mirror_x = random.random(2) < 0.5
    turn = config.structure_rotation
    return StructureDraw(
        mirror_x=bool(mirror_x),
        mirror_y=bool(mirror_y),
        angle=math.radians(random.uniform(-turn, turn)),
        brightness=1 + random.uniform(-config.structure_brightness, config.structure_brightness),
        saturation=1 + random.uniform(-config.structure_saturation, config.structure_saturation),
        hue=random.uniform(-config.structure_hue, config.structure_hue),
        order=random.permutation(rows * columns),
    )


def texture_noise(textures: torch.Tensor, chosen: Sequence[int]) -> torch.Tensor:
    """(B, 3, S, S) float32 in [0, 1]: the chosen of ``textures`` (T, 3, S, S) uint8."""
    index = torch.tensor(chosen, dtype=torch.long, device=textures.device)
    return textures[index].to(torch.float32) / 255


def structure_noise(
    images: torch.Tensor, draws: Sequence[StructureDraw], grid: tuple[int, int]
) -> torch.Tensor:
    """Images (B, 3, S, S) float in [0, 1], mirrored, rotated, recoloured and shuffled.

    Beyond its edges an image is continued by its reflection. Colour is changed pixel by pixel
    and shuffling only moves pixels, so both places are looked up at once: rotating, recolouring
    and shuffling in this order gives the same. ``grid``: rows and columns of cells.
    """
    places = _places(draws, images.shape[-1], grid, images.device)
    moved = grid_sample(
        images.contiguous(), places, mode="bilinear", padding_mode="reflection",
        align_corners=False,
    )  # fmt: skip
    colours = np.array([[d.brightness, d.saturation, d.hue] for d in draws], dtype=np.float32)
    brightness, saturation, hue = torch.from_numpy(colours).to(images.device).unbind(1)
    return recolour(moved, brightness, saturation, hue)


def _places(
    draws: Sequence[StructureDraw], size: int, grid: tuple[int, int], device: torch.device
) -> torch.Tensor:
    """(B, S, S, 2) places of the noise image's pixels in the image, as grid_sample reads them."""
    order = torch.from_numpy(np.stack([draw.order for draw in draws])).to(device)
    source_y, source_x = shuffled_pixels(order, size, grid)
    y, x = (source * (2 / size) + (1 / size - 1) for source in (source_y, source_x))
    turns = np.array(
        [
            [math.cos(d.angle), math.sin(d.angle), 1 - 2 * d.mirror_y, 1 - 2 * d.mirror_x]
            for d in draws
        ],
        dtype=np.float32,
    )
    cosine, sine, sign_y, sign_x = torch.from_numpy(turns).to(device).T[:, :, None, None]
    turned_x, turned_y = cosine * x - sine * y, sine * x + cosine * y
    return torch.stack([sign_x * turned_x, sign_y * turned_y], dim=-1)


def shuffled_pixels(
    order: torch.Tensor, size: int, grid: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """For each pixel the row and the column, (B, S, S) whole numbers, that it shows.

    ``order``: (B, rows * columns) permutations of the cells. Where the side is no multiple of
    the grid cells differ by a pixel, and a smaller cell shown in a larger one repeats its edge.
    """
    rows, columns = grid
    row_starts = _starts(rows, size, order.device)
    column_starts = _starts(columns, size, order.device)
    pixels = torch.arange(size, device=order.device)
    row = torch.searchsorted(row_starts, pixels, right=True) - 1
    column = torch.searchsorted(column_starts, pixels, right=True) - 1
    shown = order[:, row[:, None] * columns + column[None, :]]
    shown_row, shown_column = shown // columns, shown % columns
    into_y = (pixels - row_starts[row])[None, :, None]
    into_x = (pixels - column_starts[column])[None, None, :]
    y = torch.minimum(row_starts[shown_row] + into_y, row_starts[shown_row + 1] - 1)
    x = torch.minimum(column_starts[shown_column] + into_x, column_starts[shown_column + 1] - 1)
    return y, x


def _starts(cells: int, size: int, device: torch.device) -> torch.Tensor:
    """(cells + 1,): the first pixel of each cell, then the side."""
    return torch.arange(cells + 1, device=device) * size // cells


def recolour(
    images: torch.Tensor, brightness: torch.Tensor, saturation: torch.Tensor, hue: torch.Tensor
) -> torch.Tensor:
    """Images (B, 3, S, S) in [0, 1] with value and saturation multiplied and hue shifted (HSV).

    The three are (B,). Value and saturation are cut at 1; the result lies in [0, 1].
    """
    brightness, saturation, hue = (v[:, None, None] for v in (brightness, saturation, hue))
    red, green, blue = images.unbind(1)
    value = images.amax(1)
    chroma = value - images.amin(1)
    some = torch.where(chroma > 0, chroma, 1)  # grey has no hue; any will do
    sixths = torch.where(
        value == red,
        (green - blue) / some,
        torch.where(value == green, (blue - red) / some + 2, (red - green) / some + 4),
    )
    sixths = sixths + hue * 6
    shade = (chroma / torch.where(value > 0, value, 1) * saturation).clamp(0, 1)
    value = (value * brightness).clamp(0, 1)
    chroma = value * shade
    channels = []
    for offset in (5, 3, 1):
        place = torch.remainder(sixths + offset, 6)
        channels.append(value - chroma * torch.minimum(place, 4 - place).clamp(0, 1))
    return torch.stack(channels, dim=1)
