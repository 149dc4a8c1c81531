"""MemSeg's network (figure 2)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from memseg.config.method import MethodConfig
from memseg.model.attention import attention_maps
from memseg.model.backbone import CHANNELS, build_encoder
from memseg.model.decoder import Decoder
from memseg.model.difference import difference_information, smooth
from memseg.model.fusion import Fusion
from memseg.model.memory import Memory
from memseg.model.weights import EncoderWeights


class MemSegNet(nn.Module):
    """Images (B, 3, S, S) in [0, 1] to logits (B, 2, S, S); channel 1 is anomalous.

    ``state_dict`` holds everything, the memory's images too, and no features.
    """

    def __init__(
        self, config: MethodConfig, memory_images: torch.Tensor | None, weights: EncoderWeights
    ) -> None:
        """Use ``build_network``: it seeds what starts from random weights."""
        super().__init__()
        self.difference, self.model = config.difference, config.model
        self.trunk, self.bottleneck = build_encoder(weights)
        self.memory = None
        if self.model.memory:
            if memory_images is None or not len(memory_images):
                raise ValueError("model.memory needs memory images")
            self.memory = Memory(memory_images, self.difference.smoothing)
        width = 2 if self.model.memory else 1
        self.fusion = Fusion(
            [width * c for c in CHANNELS],
            self.model.coordinate_attention,
            self.model.multi_scale,
        )
        self.decoder = Decoder()

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """All but the trunk's."""
        return (p for p in self.parameters() if p.requires_grad)

    def refresh_memory(self) -> None:
        """Lets the memory's features be made again at the next call.

        Never needed for correctness: moving the network, loading state and another precision
        or layout do it by themselves.
        """
        if self.memory is not None:
            self.memory.forget()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (B, 2, S, S) of ``images`` (B, 3, S, S) in [0, 1]."""
        stem, features = self.trunk(images)
        bottleneck = self.bottleneck(features[-1])
        scaled = [f * self.difference.feature_factor for f in features]
        if self.memory is None:
            fused = self.fusion(scaled)
        else:
            found = self._difference(images, features)
            fused = self.fusion([torch.cat([f, d], 1) for f, d in zip(scaled, found)])
            if self.model.spatial_attention:
                maps = attention_maps(found, self.model.m1_from)
                fused = [f * m for f, m in zip(fused, maps)]
        logits: torch.Tensor = self.decoder(bottleneck, [*reversed(fused), stem])
        return logits

    def anomaly_map(self, images: torch.Tensor) -> torch.Tensor:
        """Probability of being anomalous, (B, S, S) float32 in [0, 1]."""
        return self(images).float().softmax(1)[:, 1]

    @torch.no_grad()
    def difference_information(self, images: torch.Tensor) -> list[torch.Tensor]:
        """DI* of levels 1, 2, 3 (eq. 3 and 4). Raises ValueError for a network without memory."""
        return self._difference(images, self.trunk(images)[1])

    @torch.no_grad()
    def attention_maps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """M1, M2, M3 (eq. 5-7), each (B, 1, H, W). Raises ValueError without memory."""
        return attention_maps(self.difference_information(images), self.model.m1_from)

    def _difference(self, images: torch.Tensor, features: list[torch.Tensor]) -> list[torch.Tensor]:
        if self.memory is None:
            raise ValueError("a network without memory has no difference information")
        with torch.no_grad():
            query = [smooth(f, self.difference.smoothing) for f in features]
            return difference_information(query, self.memory(self.trunk, images), self.difference)


def build_network(
    config: MethodConfig,
    memory_images: torch.Tensor | npt.NDArray[np.uint8] | None,
    weights: EncoderWeights,
    seed: int,
) -> MemSegNet:
    """A network before its first step; what starts from random weights follows ``seed`` alone.

    ``memory_images``: (N, 3, S, S) uint8. With a random encoder BatchNorm's statistics of the
    trunk are estimated once on them. torch's global generator is left as it was.
    """
    images = None if memory_images is None else torch.from_numpy(np.array(memory_images))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = MemSegNet(config, images, weights)
    if weights.state is None and images is not None and len(images):
        network.trunk.estimate_statistics(images.float() / 255)
    return network
