"""Which normal images represent the others best: a memory chosen by features (not in the paper).

The paper draws its memory samples at random; of a product in any orientation many orientations
are then far from every sample. n images, S side in pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from memseg.model.backbone import Trunk
from memseg.model.difference import distances

_BATCH = 16
_POOLED = (2, 2, 1)
"""Levels 1 and 2 at half their side: half the time for 320 images, another choice of a fifth of
the samples, and the other images as near to them (within 0.2 %)."""


def representative_order(between: npt.NDArray[np.float64], count: int) -> list[int]:
    """Indices of ``count`` of n samples, each the one that brings the others nearest.

    ``between``: (n, n) distances. Greedy: next is the sample after which the sum, over all
    samples, of the distance to the nearest chosen one is smallest; ties by the lower index. A
    smaller count gives the beginning of the same order.
    """
    near = np.full(len(between), np.inf)
    chosen: list[int] = []
    for _ in range(count):
        sums = np.minimum(near[None], between).sum(1)
        sums[chosen] = np.inf
        chosen.append(int(sums.argmin()))
        near = np.minimum(near, between[chosen[-1]])
    return chosen


@torch.no_grad()
def feature_distances(trunk: Trunk, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Distances between images (n, 3, S, S): the sum over levels of mean |difference|.

    Each level is divided by its mean distance, an image's to itself included, so that none
    outweighs the others. In fp32 in
    any precision; the work grows with n²: 21 s for 320 images of 256 pixels on two cores.
    """
    device = trunk.mean.device
    parts: list[list[torch.Tensor]] = []
    for start in range(0, len(images), _BATCH):
        part = torch.from_numpy(np.array(images[start : start + _BATCH])).to(device)
        features = trunk(part.float() / 255)[1]
        parts.append([functional.avg_pool2d(f, side) for f, side in zip(features, _POOLED)])
    total = np.zeros((len(images), len(images)))
    for level in (torch.cat(levels) for levels in zip(*parts)):
        found = distances(level.contiguous(), level.contiguous(), "absolute").double().cpu().numpy()
        total += found / max(found.mean(), np.finfo(np.float32).eps)
    return total
