"""A large part of the image in a wrong place: structural anomalies beyond the paper's.

The paper's masks are cut from noise and filled with disarranged pixels, so a network learns
that anomalies have edges and odd texture within. A part that is missing, turned or misplaced
looks normal within; only the memory knows that it does not belong there. S side in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

ATTEMPTS = 4
"""So many places are tried before the anomaly becomes an ordinary structural one."""
CHANGED = 0.04
"""Mean change (of 0..1) about a pixel above which it counts as anomalous."""
LEAST_SHARE = 0.002
"""Of the image's pixels must be anomalous."""
_NEIGHBOURHOOD = 1 / 16
_SHIFT = (0.1, 0.5)
"""Of the side: how far the part is moved."""
_ASPECT = 2.0
_ROUNDNESS = (2.0, 8.0)
"""Exponent of the superellipse: from an ellipse to nearly a rectangle."""


@dataclass(frozen=True)
class MovedDraw:
    """Everything random about one moved part. Lengths are shares of the side."""

    centre: tuple[float, float]
    radii: tuple[float, float]
    angle: float
    """In radians."""
    roundness: float
    shift: tuple[float, float]
    mirror: tuple[bool, bool]
    """Of rows, of columns."""


def draw_moved(random: np.random.Generator, size: tuple[float, float]) -> MovedDraw:
    """Draws region and movement; ``size``: range of the region's radius."""
    radius = float(random.uniform(*size))
    stretch = float(_ASPECT ** random.uniform(-0.5, 0.5))
    distance, direction = random.uniform(*_SHIFT), random.uniform(0, 2 * math.pi)
    y, x = random.uniform(0, 1, 2)
    rows, columns = random.random(2) < 0.5
    return MovedDraw(
        centre=(float(y), float(x)),
        radii=(radius * stretch, radius / stretch),
        angle=float(random.uniform(0, math.pi)),
        roundness=float(random.uniform(*_ROUNDNESS)),
        shift=(distance * math.sin(direction), distance * math.cos(direction)),
        mirror=(bool(rows), bool(columns)),
    )


def moved_part(
    image: torch.Tensor, allowed: torch.Tensor, draw: MovedDraw
) -> tuple[torch.Tensor, torch.Tensor]:
    """The image moved, (3, S, S), and where it is anomalous to show it, (S, S) bool.

    ``image``: (3, S, S) float in [0, 1]; ``allowed``: (S, S) bool. Anomalous is what of the
    region is allowed and differs from the image: moving background onto background changes
    nothing.
    """
    side = image.shape[-1]
    rows, columns = (
        _reflected(shift, mirror, side, image.device)
        for shift, mirror in zip(draw.shift, draw.mirror)
    )
    source = image[:, rows][:, :, columns]
    return source, region(draw, side, image.device) & allowed & changed(image, source)


def changed(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """(S, S) bool: about which pixels two images (3, S, S) differ by more than CHANGED."""
    gap = (after - before).abs().mean(0, keepdim=True)[None]
    near = int(before.shape[-1] * _NEIGHBOURHOOD) // 2 * 2 + 1
    mean = functional.avg_pool2d(gap, near, stride=1, padding=near // 2, count_include_pad=False)
    return mean[0, 0] > CHANGED


def region(draw: MovedDraw, side: int, device: torch.device) -> torch.Tensor:
    """(S, S) bool: the superellipse that the draw describes."""
    places = (torch.arange(side, device=device) + 0.5) / side
    y, x = (places - draw.centre[0])[:, None], (places - draw.centre[1])[None]
    cosine, sine = math.cos(draw.angle), math.sin(draw.angle)
    u = (cosine * x + sine * y) / draw.radii[0]
    v = (cosine * y - sine * x) / draw.radii[1]
    return u.abs().pow(draw.roundness) + v.abs().pow(draw.roundness) <= 1


def _reflected(shift: float, mirror: bool, side: int, device: torch.device) -> torch.Tensor:
    """Which row (or column) each one shows; beyond the edge the image goes on mirrored."""
    index = (torch.arange(side, device=device) - round(shift * side)) % (2 * side)
    index = torch.where(index >= side, 2 * side - 1 - index, index)
    return side - 1 - index if mirror else index
