"""BatchNorm over the whole batch of several workers.

torch.nn.SyncBatchNorm refuses tensors on the CPU; this is one code path for gloo and NCCL.
W workers, each with B of the batch's W B images (B, C, H, W).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed, nn
from torch.nn import functional

from memseg.model.network import MemSegNet
from memseg.training.workers import Workers

_VALUES = (0, 2, 3)
"""Dimensions of (B, C, H, W) that a channel's statistics are over."""


def synchronise_norms(network: MemSegNet, workers: Workers) -> None:
    """Gives the trained parts of a network BatchNorm over all workers, in place.

    Names and tensors of its state stay the same, and so does everything with one worker. The
    frozen trunk's BatchNorm looks at no batch.
    """
    if workers.count == 1:
        return
    for part in (network.bottleneck, network.fusion, network.decoder):
        _replace(part, workers.count)


def _replace(module: nn.Module, workers: int) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, SyncedBatchNorm2d(child, workers))
        else:
            _replace(child, workers)


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm2d whose mean and variance in training are those of all workers' images.

    Each worker must have equally many. Forward and backward wait for the others once each. In
    eval mode it is BatchNorm2d.
    """

    def __init__(self, of: nn.BatchNorm2d, workers: int) -> None:
        """Takes over the parameters and buffers of ``of`` themselves."""
        super().__init__(of.num_features, of.eps, of.momentum)
        self.weight, self.bias = of.weight, of.bias
        for name, buffer in of.named_buffers():
            setattr(self, name, buffer)
        self.train(of.training)
        self.workers = workers

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to the same shape, type and memory layout."""
        if not self.training:
            return super().forward(x)
        found: torch.Tensor
        found, mean, variance = _SyncedNorm.apply(x, self.weight, self.bias, self.eps, self.workers)
        self._note(mean, variance, _count(x, self.workers))
        return found

    @torch.no_grad()
    def _note(self, mean: torch.Tensor, variance: torch.Tensor, count: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        share = 0.1 if self.momentum is None else self.momentum
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        unbiased = variance * (count / max(1, count - 1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), share)


class _SyncedNorm(torch.autograd.Function):
    """Normalised images, the mean and the biased variance; statistics in float32 at least."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float,
        workers: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
        variance, mean = torch.var_mean(_wide(x), _VALUES, correction=0)
        # Means and variances of parts, not sums of squares: those cancel in float32.
        means, variances = _of_all(torch.stack([mean, variance]), workers).unbind(1)
        mean = means.mean(0)
        variance = variances.mean(0) + (means - mean).square().mean(0)
        ctx.save_for_backward(x, weight, mean, (variance + eps).rsqrt())
        ctx.workers = workers
        ctx.mark_non_differentiable(mean, variance)
        found = functional.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)
        return found, mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight, mean, scale = ctx.saved_tensors
        dy = _wide(gradients[0])
        centred = _wide(x) - _channels(mean)
        dy_sum, dy_centred_sum = dy.sum(_VALUES), (dy * centred).sum(_VALUES)
        # Weight and bias get this worker's part: all gradients are averaged after the pass.
        d_weight, d_bias = dy_centred_sum * scale, dy_sum
        sums = _of_all(torch.stack([dy_sum, dy_centred_sum]), ctx.workers).sum(0)
        dy_mean, slope = sums / _count(x, ctx.workers)
        dx = dy - _channels(dy_mean) - centred * _channels(scale.square() * slope)
        dx = dx * _channels(weight * scale)
        return dx.to(x.dtype), d_weight.to(weight.dtype), d_bias.to(weight.dtype), None, None


def _of_all(values: torch.Tensor, workers: int) -> torch.Tensor:
    """(W, ...): in the order of ranks, so that all workers add up to the same bits."""
    if workers == 1:
        return values[None]
    found = [torch.empty_like(values) for _ in range(workers)]
    distributed.all_gather(found, values)
    return torch.stack(found)


def _wide(x: torch.Tensor) -> torch.Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _channels(values: torch.Tensor) -> torch.Tensor:
    return values.view(1, -1, 1, 1)


def _count(x: torch.Tensor, workers: int) -> int:
    """Values of a channel, all workers'."""
    return workers * x.numel() // x.shape[1]
