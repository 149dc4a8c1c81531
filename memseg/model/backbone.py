"""The encoder: a ResNet18, frozen up to block 3, trainable in block 4."""

from __future__ import annotations

from typing import Any

import torch
import torchvision
from torch import nn

from memseg.model.weights import EncoderWeights

CHANNELS = (64, 128, 256)
"""Of the features of blocks 1, 2, 3, at S/4, S/8, S/16 (section 3.2)."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Trunk(nn.Module):
    """Stem and blocks 1 to 3: no gradients, and in eval mode always, under ``train()`` too.

    The memory's features are made once; they would go stale if BatchNorm statistics moved.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, resnet: Any) -> None:
        super().__init__()
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

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The stem's output (B, 64, S/2, S/2) and the features of blocks 1, 2, 3.

        ``images``: (B, 3, S, S) in [0, 1]; ImageNet's mean and deviation are applied here.
        """
        x = (images - self.mean) / self.deviation
        stem = self.relu(self.bn1(self.conv1(x)))
        first = self.layer1(self.maxpool(stem))
        second = self.layer2(first)
        return stem, [first, second, self.layer3(second)]

    @torch.no_grad()
    def estimate_statistics(self, images: torch.Tensor) -> None:
        """Sets BatchNorm's statistics to those of ``images``: for random weights only.

        With the initial statistics a random trunk's features have another scale at each level,
        and the factor on the difference means nothing.
        """
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # an average over all that is seen, not a moving one
            norm.training = True
        for part in images.split(16):
            self(part)
        for norm in norms:
            norm.momentum = 0.1
            norm.training = False


def build_encoder(weights: EncoderWeights) -> tuple[Trunk, nn.Module]:
    """The frozen trunk and the trainable block 4 (the bottleneck of figure 2).

    What ``weights`` does not hold keeps torchvision's random start, from torch's global
    generator: the caller seeds it.
    """
    resnet = torchvision.models.resnet18(weights=None)
    if weights.state is not None:
        resnet.load_state_dict(dict(weights.state), strict=False)
    return Trunk(resnet), resnet.layer4
