"""Multi-scale feature fusion (section 3.3, figure 4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from memseg.model.attention import CoordinateAttention, up
from memseg.model.backbone import CHANNELS
from memseg.model.layers import conv_block


class LevelFusion(nn.Module):
    """One level's concatenated information CI (B, C_in, H, W) to C channels."""

    def __init__(self, inputs: int, outputs: int, coordinate_attention: bool) -> None:
        super().__init__()
        self.mix = conv_block(inputs, inputs)
        self.attention = CoordinateAttention(inputs) if coordinate_attention else None
        self.reduce = nn.Sequential(conv_block(inputs, outputs), conv_block(outputs, outputs))

    def forward(self, concatenated: torch.Tensor) -> torch.Tensor:
        """The weight of coordinate attention multiplies the convolved features."""
        mixed = self.mix(concatenated)
        if self.attention is not None:
            mixed = mixed * self.attention(mixed)
        reduced: torch.Tensor = self.reduce(mixed)
        return reduced


class Fusion(nn.Module):
    """Three levels, coarser ones added to finer ones."""

    def __init__(
        self, inputs: Sequence[int], coordinate_attention: bool, multi_scale: bool
    ) -> None:
        """``inputs``: channels of CI at levels 1, 2, 3; outputs have CHANNELS."""
        super().__init__()
        self.levels = nn.ModuleList(
            LevelFusion(i, c, coordinate_attention) for i, c in zip(inputs, CHANNELS)
        )
        self.align = nn.ModuleList(
            [conv_block(CHANNELS[1], CHANNELS[0]), conv_block(CHANNELS[2], CHANNELS[1])]
            if multi_scale
            else []
        )

    def forward(self, concatenated: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """CI of levels 1, 2, 3 to fused features of the levels' CHANNELS."""
        fused = [level(ci) for level, ci in zip(self.levels, concatenated)]
        if len(self.align):
            fused[1] = fused[1] + self.align[1](up(fused[2]))
            fused[0] = fused[0] + self.align[0](up(fused[1]))
        return fused
