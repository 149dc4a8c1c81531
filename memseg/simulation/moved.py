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

from memseg.simulation.region import ROUNDNESS, Region, changed

ATTEMPTS = 4
"""So many places are tried before the anomaly becomes an ordinary structural one."""
_SHIFT = (0.1, 0.5)
"""Of the side: how far the part is moved."""
_ASPECT = 2.0


@dataclass(frozen=True)
class MovedDraw:
    """Everything random about one moved part. Lengths are shares of the side."""

    region: Region
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
        region=Region(
            centre=(float(y), float(x)),
            radii=(radius * stretch, radius / stretch),
            angle=float(random.uniform(0, math.pi)),
            roundness=float(random.uniform(*ROUNDNESS)),
        ),
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
    return source, draw.region.mask(side, image.device) & allowed & changed(image, source)


def _reflected(shift: float, mirror: bool, side: int, device: torch.device) -> torch.Tensor:
    """Which row (or column) each one shows; beyond the edge the image goes on mirrored."""
    index = (torch.arange(side, device=device) - round(shift * side)) % (2 * side)
    index = torch.where(index >= side, 2 * side - 1 - index, index)
    return side - 1 - index if mirror else index
