"""Spatial attention maps from the difference (eq. 5-7), and coordinate attention (fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional


def up(features: torch.Tensor) -> torch.Tensor:
    """Twice the side, bilinear."""
    return functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)


def attention_maps(
    difference: Sequence[torch.Tensor], m1_from: str, mean: str = "product"
) -> list[torch.Tensor]:
    """M1, M2, M3, each (B, 1, H, W), from the difference information of levels 1, 2, 3.

    M3 = mean over channels; M2 = mean * up(M3); M1 = mean * up(M2) (eq. 5-7). With ``m1_from``
    "m3", M1 multiplies the up-sampled M3 directly, as the authors' code does. With ``mean``
    "geometric" each map is the root of its product: as large as one difference, so that no edge
    outweighs the inside of a defect by its cube.
    """
    first, second, third = (level.mean(1, keepdim=True) for level in difference)
    m3 = third
    m2 = second * up(m3)
    m1 = first * up(m2 if m1_from == "m2" else up(m3))
    if mean == "geometric":
        return [m1.pow(1 / (3 if m1_from == "m2" else 2)), m2.sqrt(), m3]
    return [m1, m2, m3]


class CoordinateAttention(nn.Module):
    """Channel weights that know rows and columns (Hou et al.), (B, C, H, W) in [0, 1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = max(8, channels // 32)
        self.reduce = nn.Conv2d(channels, middle, 1)
        self.norm = nn.BatchNorm2d(middle)
        self.activation = nn.Hardswish()
        self.rows = nn.Conv2d(middle, channels, 1)
        self.columns = nn.Conv2d(middle, channels, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The weight of each element; the caller multiplies."""
        height, width = features.shape[2:]
        rows = features.mean(3, keepdim=True)
        columns = features.mean(2, keepdim=True).transpose(2, 3)
        joined = self.activation(self.norm(self.reduce(torch.cat([rows, columns], 2))))
        rows, columns = joined.split([height, width], 2)
        weight_rows = self.rows(rows).sigmoid()
        weight_columns = self.columns(columns.transpose(2, 3)).sigmoid()
        weight: torch.Tensor = weight_rows * weight_columns
        return weight
