"""The basic convolution block of the paper (section 4.2)."""

from __future__ import annotations

from torch import nn


def conv_block(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution 3x3, BatchNorm, ReLU; the side stays. BatchNorm has the bias."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
