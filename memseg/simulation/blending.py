"""Equations 1 and 2: a noise image superimposed on a normal image.

B batch, S side in pixels. Images are (B, 3, S, S) float in [0, 1].
"""

from __future__ import annotations

import torch


def noise_foreground(
    images: torch.Tensor, noise: torch.Tensor, masks: torch.Tensor, delta: torch.Tensor
) -> torch.Tensor:
    """I'_n = delta (M * I_n) + (1 - delta) (M * I) (eq. 1).

    ``masks`` (B, S, S) float in {0, 1}; ``delta`` (B,) in [0, 1], the noise image's share.
    Returns (B, 3, S, S), 0 outside the masks.
    """
    mask = masks.unsqueeze(1)
    share = delta[:, None, None, None]
    mixed = share * (mask * noise) + (1 - share) * (mask * images)
    return mixed.clamp(0, 1)  # the shares add up to 1, their rounded products not always


def superimpose(
    images: torch.Tensor, foreground: torch.Tensor, masks: torch.Tensor
) -> torch.Tensor:
    """I_A = (1 - M) * I + I'_n (eq. 2).

    The paper prints I' for I'_n, and calls the first term I': that would count the background
    twice. Outside the masks the images come back bit for bit.
    """
    return (1 - masks.unsqueeze(1)) * images + foreground
