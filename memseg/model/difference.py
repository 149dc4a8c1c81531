"""Difference information between features and the memory (eq. 3 and 4).

B batch, N memory samples; a level's features are (B, C, H, W). All of it is computed in float32,
whatever the precision of the features: sums over 262144 elements, and small differences that a
factor multiplies.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from memseg.config.method import DifferenceConfig

_EVERYWHERE = 0.25
"""Of a level's mean difference, added at each place by normalisation "place"."""
_BLOCK = {False: 2**20, True: 2**26}
"""Terms of a block of ``_absolute`` without and with CUDA, where launches cost more than caches."""


def smooth(features: torch.Tensor, side: int) -> torch.Tensor:
    """Average pooling with stride 1 that keeps the shape; ``side`` 1 changes nothing.

    At the border the mean is over what lies inside. Returns float32 (float64 stays) in the
    standard memory layout, so that ``distances`` need not copy the memory.
    """
    wide = features.to(torch.promote_types(features.dtype, torch.float32))
    if side > 1:
        wide = functional.avg_pool2d(
            wide, side, stride=1, padding=side // 2, count_include_pad=False
        )
    return wide.contiguous()


def distances(query: torch.Tensor, memory: torch.Tensor, distance: str) -> torch.Tensor:
    """Sum over all elements of the difference to each memory sample (the sum of eq. 4).

    ``query``: (B, C, H, W), ``memory``: (N, C, H, W), both of ``smooth``; ``distance``:
    "absolute" or "squared". Returns (B, N).
    """
    q, m = query.flatten(1), memory.flatten(1)
    if distance == "absolute":
        return _absolute(q, m)
    # Under autocast a matrix product would be in bf16, too coarse to find the nearest.
    with torch.autocast(q.device.type, enabled=False):
        return _squared(q, m)


def _absolute(q: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    """|m - q| summed in blocks of elements that stay in the cache.

    torch.cdist adds 262144 terms one after the other: slower, and 100 times less exact.
    """
    total = q.new_zeros(len(q), len(m))
    block = max(1, _BLOCK[q.device.type == "cuda"] // max(1, total.numel()))
    for query, sample in zip(torch.split(q, block, 1), torch.split(m, block, 1)):
        total += (query[:, None] - sample[None]).abs_().sum(-1)
    return total


def _squared(q: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    """|m|² - 2<m, q> + |q|² as one matrix product, the two nearest computed again directly.

    The product loses digits where distances are small beside the norms; the nearest sample is
    decided between two, so these two are made exact.
    """
    found = (m.square().sum(1)[None] - 2 * q @ m.T + q.square().sum(1)[:, None]).clamp_min_(0)
    nearest = found.topk(min(2, m.shape[0]), largest=False).indices
    for place in nearest.unbind(1):
        exact = (m[place] - q).square().sum(1, keepdim=True)
        found.scatter_(1, place[:, None], exact)
    return found


def choose(
    query: Sequence[torch.Tensor], memory: Sequence[torch.Tensor], config: DifferenceConfig
) -> list[torch.Tensor]:
    """Index of the nearest memory sample for each level, each (B,) (eq. 4).

    ``per_level``: each level for itself; ``joint``: one sample by the sum over all levels.
    """
    return _nearest([distances(q, m, config.distance) for q, m in zip(query, memory)], config)


def _nearest(sums: Sequence[torch.Tensor], config: DifferenceConfig) -> list[torch.Tensor]:
    if config.choice == "joint":
        return [torch.stack(list(sums)).sum(0).argmin(1)] * len(sums)
    return [level.argmin(1) for level in sums]


def difference_information(
    query: Sequence[torch.Tensor],
    memory: Sequence[torch.Tensor],
    config: DifferenceConfig,
    typical: Sequence[torch.Tensor] | None = None,
) -> list[torch.Tensor]:
    """DI*: per element |MI - II| or its square to the nearest sample, times the factor.

    ``query``: features of B images per level, ``memory``: of N samples, both of ``smooth``;
    ``typical``: of ``typical_difference``, what each level is divided by. Returns a
    (B, C, H, W), >= 0, for each level.
    """
    return difference_to(query, memory, choose(query, memory, config), config, typical)


def difference_to(
    query: Sequence[torch.Tensor],
    memory: Sequence[torch.Tensor],
    chosen: Sequence[torch.Tensor],
    config: DifferenceConfig,
    typical: Sequence[torch.Tensor] | None = None,
) -> list[torch.Tensor]:
    """``difference_information`` to ``chosen`` samples, (B,) indices for each level."""
    found = [_gap(m[n], q, config) * config.factor for q, m, n in zip(query, memory, chosen)]
    if typical is None:
        return found
    return [level / usual for level, usual in zip(found, typical)]


def typical_difference(
    memory: Sequence[torch.Tensor], config: DifferenceConfig
) -> list[torch.Tensor]:
    """What a normal image's difference is like: of each memory sample to the others (not paper).

    ``memory``: features of N samples per level, N >= 2. Each sample is compared with the nearest
    of the others. Returns for each level their mean, a (1, 1, 1, 1) for normalisation "level",
    or its mean over samples and channels at each place, (1, 1, H, W), for "place". Divided by
    it, the difference of normal images is about 1 whatever the product. Samples without any
    difference (copies of one image) give no scale: then it is that of rounding.
    """
    sums = [distances(m, m, config.distance).fill_diagonal_(torch.inf) for m in memory]
    found = []
    for level, other in zip(memory, _nearest(sums, config)):
        place = torch.stack([_gap(level[o], m, config).mean(0) for m, o in zip(level, other)])
        place = place.mean(0)[None, None]
        mean = place.mean().clamp_min(torch.finfo(level.dtype).eps).view(1, 1, 1, 1)
        if config.normalisation == "level":
            found.append(mean)
        else:
            # Where all normal images are alike a chance difference must not be divided by
            # nearly nothing: neighbours count too, and a part of the mean.
            found.append((smooth(place, 3) + _EVERYWHERE * mean) / (1 + _EVERYWHERE))
    return found


def _gap(sample: torch.Tensor, query: torch.Tensor, config: DifferenceConfig) -> torch.Tensor:
    gap = (sample - query).abs()
    return gap.square() if config.distance == "squared" else gap
