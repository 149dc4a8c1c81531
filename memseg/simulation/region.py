"""A large round or square region, and where two images differ. S side in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

CHANGED = 0.04
"""Mean change (of 0..1) about a pixel above which it counts as anomalous."""
LEAST_SHARE = 0.002
"""Of the image's pixels must be anomalous."""
ROUNDNESS = (2.0, 8.0)
"""Exponent of the superellipse: from an ellipse to nearly a rectangle."""
_NEIGHBOURHOOD = 1 / 16


@dataclass(frozen=True)
class Region:
    """A superellipse. Lengths are shares of the side."""

    centre: tuple[float, float]
    """From the top and from the left."""
    radii: tuple[float, float]
    angle: float
    """In radians."""
    roundness: float

    def mask(self, side: int, device: torch.device) -> torch.Tensor:
        """(S, S) bool: the pixels whose middle lies within."""
        places = (torch.arange(side, device=device) + 0.5) / side
        y, x = (places - self.centre[0])[:, None], (places - self.centre[1])[None]
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        u = (cosine * x + sine * y) / self.radii[0]
        v = (cosine * y - sine * x) / self.radii[1]
        return u.abs().pow(self.roundness) + v.abs().pow(self.roundness) <= 1


def changed(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """(S, S) bool: about which pixels two images (3, S, S) differ by more than CHANGED."""
    gap = (after - before).abs().mean(0, keepdim=True)[None]
    near = int(before.shape[-1] * _NEIGHBOURHOOD) // 2 * 2 + 1
    mean = functional.avg_pool2d(gap, near, stride=1, padding=near // 2, count_include_pad=False)
    return mean[0, 0] > CHANGED
