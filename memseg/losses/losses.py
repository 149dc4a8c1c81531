"""The training loss of section 3.4, from logits.

B batch, S side in pixels. Channel 0 of the logits is normal, channel 1 anomalous.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import logsigmoid

from memseg.config.method import LossConfig


@dataclass(frozen=True)
class LossTerms:
    """Scalars on the device of the logits; ``total`` carries the gradient."""

    total: torch.Tensor
    """Eq. 10: ``l1_weight * l1 + focal_weight * focal``."""
    l1: torch.Tensor
    """Eq. 8, before its weight, in [0, 1]."""
    focal: torch.Tensor
    """Eq. 9, before its weight, at least 0."""


def memseg_loss(logits: torch.Tensor, target: torch.Tensor, config: LossConfig) -> LossTerms:
    """L1 and focal loss, each a mean over all pixels of the batch (eq. 8-10).

    ``logits``: (B, 2, S, S) floating point; ``target``: (B, S, S) bool or in {0, 1}, 1 where
    anomalous. Both losses are computed in float32 (float64 for float64 logits), also under
    autocast, and from logits: values and gradients are finite for logits up to 1e30 in
    size. Logits that are not finite give a loss that is not finite.

    Raises ValueError for shapes that do not fit: broadcasting would hide them.
    """
    _check_shapes(logits, target)
    with torch.autocast(device_type=logits.device.type, enabled=False):
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        anomalous = target > 0.5
        # Log-softmax of two classes is log-sigmoid of their margin, and no rounding of one
        # class's gradient leaks into the other's. p_t of eq. 9 is the true class's probability.
        lead = wide[:, 1] - wide[:, 0]
        margin = torch.where(anomalous, lead, -lead)
        log_true, log_false = logsigmoid(margin), logsigmoid(-margin)
        # S is 0 or 1, so |S - p| is 1 - p_t; this keeps the digits that 1 - p loses near 1.
        l1 = log_false.exp().mean()
        # (1 - p_t)^gamma as an exponential: a power has no finite gradient at 0 for gamma < 1.
        log_weighted = (config.focal_gamma * log_false).exp() * log_true
        focal = -torch.where(
            anomalous,
            config.focal_alpha_abnormal * log_weighted,
            config.focal_alpha_normal * log_weighted,
        ).mean()
        total = config.l1_weight * l1 + config.focal_weight * focal
    return LossTerms(total=total, l1=l1, focal=focal)


def _check_shapes(logits: torch.Tensor, target: torch.Tensor) -> None:
    if logits.dim() != 4 or logits.shape[1] != 2 or not logits.is_floating_point():
        raise ValueError(
            f"logits must be floating point (B, 2, S, S), got {logits.dtype} {tuple(logits.shape)}"
        )
    if target.shape != (logits.shape[0], *logits.shape[2:]):
        raise ValueError(
            f"target must be (B, S, S) for logits {tuple(logits.shape)}, got {tuple(target.shape)}"
        )
    if target.numel() == 0:
        raise ValueError(f"the loss needs at least one pixel, got logits {tuple(logits.shape)}")
