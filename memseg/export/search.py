"""The search of eq. 4 in a form that an ONNX file can hold, for any number of images.

B batch, N memory samples; a level's features are (B, C, H, W). The network's own search works in
blocks whose size follows from B; here each memory sample is compared with the whole batch, one
after the other, so that N differences of 262144 elements never lie in memory at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch._higher_order_ops import scan

from memseg.config.method import DifferenceConfig


def distances(query: torch.Tensor, memory: torch.Tensor, distance: str) -> torch.Tensor:
    """As ``memseg.model.difference.distances``, (B, N), to rounding."""

    def compare(carried: torch.Tensor, sample: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gap = (sample - query).abs()
        if distance == "squared":
            gap = gap.square()
        # In two steps: fewer terms each, and so less rounding.
        return carried.clone(), gap.sum((2, 3)).sum(1)

    _, found = scan(compare, query.new_zeros(1), memory)
    between: torch.Tensor = found.transpose(0, 1)
    return between


def nearest(
    query: Sequence[torch.Tensor], memory: Sequence[torch.Tensor], config: DifferenceConfig
) -> tuple[torch.Tensor, torch.Tensor]:
    """The chosen memory sample of each level, (B, 3) int64, and its margin, (B, 3) in [0, 1].

    The margin is how much nearer it is than the second nearest, as a share of the second's
    distance: 0 where two are equally near, 1 for an image of the memory and where N is 1.
    """
    sums = [distances(q, m, config.distance) for q, m in zip(query, memory)]
    if config.choice == "joint":
        sums = [torch.stack(sums).sum(0)] * len(sums)
    chosen = torch.stack([level.argmin(1) for level in sums], 1)
    return chosen, torch.stack([_margin(level) for level in sums], 1)


def _margin(between: torch.Tensor) -> torch.Tensor:
    if between.shape[1] < 2:
        return torch.ones_like(between[:, 0])
    first, second = between.topk(2, 1, largest=False).values.unbind(1)
    return (second - first) / second.clamp_min(torch.finfo(second.dtype).tiny)
