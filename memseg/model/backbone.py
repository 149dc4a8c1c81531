"""The encoder: a ResNet18, frozen up to block 3, trainable in block 4.

B batch, S side of the input in pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torchvision
from torch import nn

from memseg.model.weights import EncoderWeights

CHANNELS = (64, 128, 256)
"""Of the features of blocks 1, 2, 3, at S/4, S/8, S/16 (section 3.2)."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_STATISTICS_BATCH = 16


class Trunk(nn.Module):
    """Stem and blocks 1 to 3: no gradients, and in eval mode always, under ``train()`` too.

    The memory's features are made once; they would go stale if BatchNorm statistics moved.
    ``generation`` counts what may change features, so that the memory knows when to make its
    own again.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, resnet: Any) -> None:
        super().__init__()
        self.generation = 0
        self.conv1, self.bn1, self.relu = resnet.conv1, resnet.bn1, resnet.relu
        self.maxpool = resnet.maxpool
        self.layer1, self.layer2, self.layer3 = resnet.layer1, resnet.layer2, resnet.layer3
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1), persistent=False
        )
        self.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> Trunk:
        """Stays in eval mode whatever is asked for."""
        return super().train(False)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Trunk:
        self.generation += 1  # another device, precision or memory layout
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self.generation += 1
        super()._load_from_state_dict(*args, **kwargs)

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The stem's output (B, 64, S/2, S/2) and the features of blocks 1, 2, 3.

        ``images``: (B, 3, S, S) in [0, 1]; ImageNet's mean and deviation are applied here.
        Whatever their memory layout, the weights' is used: other layouts round differently, and
        a memory sample would differ from itself.
        """
        x = self._in_layout_of_weights((images - self.mean) / self.deviation)
        stem = self.relu(self.bn1(self.conv1(x)))
        first = self.layer1(self.maxpool(stem))
        second = self.layer2(first)
        return stem, [first, second, self.layer3(second)]

    def _in_layout_of_weights(self, x: torch.Tensor) -> torch.Tensor:
        if self.conv1.weight.is_contiguous(memory_format=torch.channels_last):
            return x.contiguous(memory_format=torch.channels_last)
        return x.contiguous()

    @torch.no_grad()
    def estimate_statistics(self, images: torch.Tensor) -> None:
        """Sets BatchNorm's statistics to those of ``images``: for random weights only.

        With the initial statistics a random trunk's features have another scale at each level,
        and the factor on the difference means nothing. ``images``: as in ``forward``.
        """
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # an average over all that is seen, not a moving one
            norm.training = True
        # Parts of equal size: each counts the same in the average.
        for part in images.tensor_split(-(-len(images) // _STATISTICS_BATCH)):
            self(part)
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
        self.train()
        self.generation += 1


def build_encoder(weights: EncoderWeights) -> tuple[Trunk, nn.Module]:
    """The frozen trunk and the trainable block 4 (the bottleneck of figure 2).

    What ``weights`` does not hold keeps torchvision's random start, from torch's global
    generator: the caller seeds it.
    """
    resnet = torchvision.models.resnet18(weights=None)
    if weights.state is not None:
        resnet.load_state_dict(dict(weights.state), strict=False)
    return Trunk(resnet), resnet.layer4
