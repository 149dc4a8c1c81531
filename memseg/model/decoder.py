"""The decoder: up-sampling layers with skips, down to two channels (section 4.2, figure 2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from memseg.model.attention import up
from memseg.model.layers import conv_block

_STAGES = ((512, 256, 256, 256), (256, 128, 128, 128), (128, 64, 64, 64), (64, 32, 64, 48))
"""Channels in, after up-sampling, of the skip, and out, from S/32 to S/2."""
_LAST = (48, 24)
"""Channels before and after the last convolutions, at S, where no skip joins."""


class Decoder(nn.Module):
    """From the bottleneck (B, 512, S/32, S/32) and the skips to logits.

    These are (B, 2, S, S), never in bf16.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rise = nn.ModuleList(conv_block(i, u) for i, u, _, _ in _STAGES)
        self.join = nn.ModuleList(
            nn.Sequential(conv_block(u + s, o), conv_block(o, o)) for _, u, s, o in _STAGES
        )
        first, last = _LAST
        self.rise_last = conv_block(first, first)
        self.head = nn.Sequential(
            conv_block(first, last),
            conv_block(last, last),
            conv_block(last, last),
            nn.Conv2d(last, 2, 3, padding=1),
        )

    def forward(self, bottleneck: torch.Tensor, skips: Sequence[torch.Tensor]) -> torch.Tensor:
        """``skips``: fused features of levels 3, 2, 1, then the stem's output."""
        x = bottleneck
        for rise, join, skip in zip(self.rise, self.join, skips):
            x = join(torch.cat([rise(up(x)), skip], 1))
        x = self.head[:-1](self.rise_last(up(x)))
        # In bf16 logits would move in steps of 0.03, and scores of many pixels would be equal.
        to_logits = self.head[-1]
        with torch.autocast(x.device.type, enabled=False):
            logits: torch.Tensor = to_logits(x.to(to_logits.weight.dtype))
        return logits
