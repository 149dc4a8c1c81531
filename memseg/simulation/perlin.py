"""Perlin noise, as the sum of two separable terms.

S side of the image in pixels, P side of a canvas that still covers the image when it is turned.

Within a lattice of unit gradients g the noise at a point is the sum, over the lattice nodes
(i, j) around it, of fade(1 - |y - i|) fade(1 - |x - j|) (g_y (y - i) + g_x (x - j)) [22]. Each
of the two terms is a product of a function of y and one of x, so an image of noise is two
matrix products for each term, and no pixel is ever looked at by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import grid_sample

AMPLITUDE = math.sqrt(2)
"""Brings the noise, which unit gradients keep below sqrt(1/2), to the range (-1, 1)."""


@dataclass(frozen=True)
class PerlinDraw:
    """Everything random about one image of noise."""

    rows: int
    """Lattice cells over the image's height, a power of two."""
    columns: int
    """Lattice cells over the image's width, a power of two."""
    angle: float
    """By which the lattice is turned about the image's centre, in radians."""
    gradients: npt.NDArray[np.float32]
    """(2, n, m): y and x part of the unit gradients at the canvas' n x m nodes."""


def canvas_side(size: int) -> int:
    """P: even, and at least a pixel more than the diagonal of an image of ``size`` pixels."""
    return size + 2 * (math.ceil(size * (math.sqrt(2) - 1) / 2) + 1)


def node_range(cells: int, size: int) -> range:
    """Numbers of the lattice nodes that the canvas needs along one axis.

    Node 0 lies on the image's first edge, node ``cells`` on its last one.
    """
    margin = (canvas_side(size) - size) / 2 * cells / size
    return range(math.floor(-margin), math.ceil(cells + margin) + 1)


def draw_perlin(random: np.random.Generator, exponents: tuple[int, int], size: int) -> PerlinDraw:
    """Draws a lattice of 2^k x 2^l cells, k and l uniform in ``exponents``, and its angle.

    Exponents that would make cells smaller than a pixel are lowered to cells of a pixel.
    """
    finest = size.bit_length() - 1
    first, last = (min(exponent, finest) for exponent in exponents)
    rows, columns = (2 ** int(k) for k in random.integers(first, last + 1, 2))
    angle = float(random.uniform(0, 2 * math.pi))
    shape = len(node_range(rows, size)), len(node_range(columns, size))
    directions = random.uniform(0, 2 * math.pi, shape)
    gradients = np.stack([np.sin(directions), np.cos(directions)]).astype(np.float32)
    return PerlinDraw(rows, columns, angle, gradients)


def perlin_noise(draws: Sequence[PerlinDraw], size: int, device: torch.device) -> torch.Tensor:
    """(b, S, S) float32 noise in (-1, 1), one image for each of the b draws.

    An image does not depend on which others are rendered with it, to the last bit.
    """
    # A batched product may choose another kernel, and so another rounding, for another batch.
    canvases = torch.stack([_render(draw, size, device) for draw in draws])
    angles = np.array([draw.angle for draw in draws])
    turned = _turned_grid(angles, size, device)
    noise = grid_sample(canvases.unsqueeze(1), turned, mode="bilinear", align_corners=False)
    return noise.squeeze(1)


def _render(draw: PerlinDraw, size: int, device: torch.device) -> torch.Tensor:
    """(P, P) noise on the canvas, not turned."""
    gradient_y, gradient_x = torch.from_numpy(draw.gradients).to(device)
    weight_y, slope_y = _factors(draw.rows, size, device)
    weight_x, slope_x = _factors(draw.columns, size, device)
    along_y = (slope_y @ gradient_y) @ weight_x.T
    along_x = (weight_y @ gradient_x) @ slope_x.T
    noise: torch.Tensor = (along_y + along_x) * AMPLITUDE
    return noise


def _factors(cells: int, size: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """One axis: the weight w (P, n) of each node at each pixel centre, and w times its distance."""
    side = canvas_side(size)
    nodes = node_range(cells, size)
    pixels = torch.arange(side, dtype=torch.float32, device=device) + (0.5 - (side - size) / 2)
    places = torch.arange(nodes.start, nodes.stop, dtype=torch.float32, device=device)
    distance = (pixels * (cells / size))[:, None] - places[None, :]
    near = (1 - distance.abs()).clamp(min=0)
    weight = near * near * near * (near * (near * 6 - 15) + 10)
    return weight, weight * distance


def _turned_grid(angles: npt.NDArray[np.float64], size: int, device: torch.device) -> torch.Tensor:
    """(b, S, S, 2) places on the canvas of the image's pixels, as grid_sample reads them."""
    # Sines on the CPU and plain products: the same bits for any batch, the same angle anywhere.
    turns = np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    cosine, sine = torch.from_numpy(turns).to(device)[:, :, None, None]
    centred = torch.arange(size, dtype=torch.float32, device=device) - (size - 1) / 2
    place = centred * (2 / canvas_side(size))
    y, x = place[None, :, None], place[None, None, :]
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y], dim=-1)
