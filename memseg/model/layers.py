"""The basic convolution block of the paper (section 4.2), and tensors in one another's form."""

from __future__ import annotations

import torch
from torch import nn


def conv_block(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution 3x3, BatchNorm, ReLU; the side stays. BatchNorm has the bias."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def in_form_of(features: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """``other`` in the precision and memory layout of ``features``, both (B, C, H, W).

    A concatenation of two layouts falls back to the standard one, and convolutions convert.
    """
    channels_last = features.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return other.to(features.dtype).contiguous(memory_format=layout)
