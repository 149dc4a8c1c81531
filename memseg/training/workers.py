"""Several workers that train one model: who does what, and what they tell one another.

The global batch is split, the random parameters of each position are keyed by its place in the
global batch, BatchNorm is over all workers (``memseg.training.synced_norm``) and gradients are
averaged, so that two workers compute what one does, to rounding. Gradients are averaged in one
collective after the backward pass, not while it runs: BatchNorm has collectives of its own
within, and on all workers all of them must come in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import distributed

from memseg.training.shares import check_split


@dataclass(frozen=True)
class Workers:
    """This process's place among those that train one model; alone unless said otherwise."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this one saves, evaluates and commits."""
        return self.rank == 0

    def positions(self, half: int) -> range:
        """The places of one half of the global batch that are this worker's, equally many each.

        Raises SettingError where ``half`` cannot be split so.
        """
        check_split(2 * half, self.count)
        share = half // self.count
        return range(self.rank * share, (self.rank + 1) * share)

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Puts the mean over all workers in the place of each gradient."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.count
        start = 0
        for gradient in gradients:
            part = flat[start : start + gradient.numel()]
            gradient.copy_(part.view(gradient.shape))
            start += gradient.numel()

    def mean(self, values: Sequence[torch.Tensor]) -> list[float]:
        """Means over all workers of scalars on the device."""
        together = torch.stack([value.detach() for value in values])
        if self.count > 1:
            distributed.all_reduce(together)
            together /= self.count
        return [float(value) for value in together]

    def agreed(self, value: int, device: torch.device) -> bool:
        """Whether all workers have the same number."""
        if self.count == 1:
            return True
        ends = torch.tensor([value, -value], dtype=torch.int64, device=device)
        distributed.all_reduce(ends, op=distributed.ReduceOp.MAX)
        return int(ends[0]) == -int(ends[1])

    def leaders(self, answer: bool | None, device: torch.device) -> bool:
        """What the leader answers; the others give None and wait for it."""
        told = torch.tensor([int(bool(answer))], device=device)
        if self.count > 1:
            distributed.broadcast(told, src=0)
        return bool(told.item())


ALONE = Workers()


def current_workers() -> Workers:
    """Of the process group that this process was put into (by Ray Train); alone without one."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Workers()
    return Workers(distributed.get_rank(), distributed.get_world_size())
