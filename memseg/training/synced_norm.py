"""BatchNorm over the whole batch of several workers.

torch.nn.SyncBatchNorm refuses tensors on the CPU; this is one code path for gloo and NCCL.
W workers, each with (B / W, C, H, W) of the batch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed, nn

from memseg.model.network import MemSegNet
from memseg.training.workers import Workers


def synchronise_norms(network: MemSegNet, workers: Workers) -> None:
    """Gives the trained parts of a network BatchNorm over all workers, in place.

    Names and tensors of its state stay the same, and so does everything with one worker. The
    frozen trunk's BatchNorm looks at no batch.
    """
    if workers.count == 1:
        return
    for part in (network.bottleneck, network.fusion, network.decoder):
        _replace(part)


def _replace(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, SyncedBatchNorm2d(child))
        else:
            _replace(child)


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm2d whose mean and variance in training are those of all workers' images.

    Each worker must have equally many. In eval mode it is BatchNorm2d.
    """

    def __init__(self, of: nn.BatchNorm2d) -> None:
        """Takes over the parameters and buffers of ``of`` themselves."""
        super().__init__(of.num_features, of.eps, of.momentum)
        self.weight, self.bias = of.weight, of.bias
        for name, buffer in of.named_buffers():
            setattr(self, name, buffer)
        self.train(of.training)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B / W, C, H, W) to the same shape, type and memory layout."""
        if not self.training:
            return super().forward(x)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = _mean_of_all(wide.mean((0, 2, 3)))
        # Of the distances to the mean, not of the squares: nothing cancels.
        variance = _mean_of_all((wide - mean[:, None, None]).square().mean((0, 2, 3)))
        self._note(mean, variance, x.numel() // x.shape[1])
        # With given statistics batch_norm is a scaling; their own gradient comes with them.
        scale = (variance + self.eps).rsqrt() * self.weight
        shift = self.bias - mean * scale
        found = torch.addcmul(shift[:, None, None], wide, scale[:, None, None])
        return found.to(x.dtype)

    @torch.no_grad()
    def _note(self, mean: torch.Tensor, variance: torch.Tensor, own: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        count = own * distributed.get_world_size()
        share = 0.1 if self.momentum is None else self.momentum
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        unbiased = variance * (count / max(1, count - 1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), share)


class _MeanOfAll(torch.autograd.Function):
    """The mean over workers, whose gradient is the mean over workers of theirs times their number.

    A worker's loss depends on every worker's images through it; gradients are summed here and
    averaged once more with those of the parameters.
    """

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
        total = value.clone()
        distributed.all_reduce(total)
        return total / distributed.get_world_size()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total / distributed.get_world_size()


def _mean_of_all(value: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = _MeanOfAll.apply(value)
    return found
