"""The network as a module that can be exported: uint8 images in, maps and scores out.

B batch, N memory samples, S side in pixels.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from memseg.export.search import nearest
from memseg.model.difference import difference_to, smooth
from memseg.model.network import MemSegNet


class Exportable(nn.Module):
    """``forward``: (B, 3, S, S) uint8 in 0..255, RGB, to what ``onnx_model.Found`` holds.

    uint8, so that nobody can forget to divide by 255, and a quarter of the bytes are moved. The
    memory's features, made here once in fp32, are its constants, and so are the differences that
    are typical of it. Without memory there are neither samples nor margins.
    """

    def __init__(self, network: MemSegNet, top_pixels: int) -> None:
        """``network`` is copied: to the CPU, to fp32 and the standard memory layout."""
        super().__init__()
        own = copy.deepcopy(network).to("cpu", torch.float32)
        self.network = own.to(memory_format=torch.contiguous_format).eval()
        self.top_pixels = top_pixels
        self.levels = 0
        self.normalised = False
        if self.network.memory is not None:
            features, typical = self.network.memory(self.network.trunk)
            self.levels, self.normalised = len(features), typical is not None
            for level, held in enumerate(features):
                self.register_buffer(f"memory_{level}", held)
            for level, usual in enumerate(typical or ()):
                self.register_buffer(f"typical_{level}", usual)
            self.network.refresh_memory()

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Anomaly maps (B, S, S), image scores (B,), samples (B, 3) and margins (B, 3)."""
        stem, features = self.network.trunk(images.float() / 255)
        if not self.levels:
            return self._judged(self.network.decode(stem, features, None))
        config = self.network.difference
        query = [smooth(level, config.smoothing) for level in features]
        memory = self._buffers_of("memory")
        chosen, margins = nearest(query, memory, config)
        typical = self._buffers_of("typical") if self.normalised else None
        found = difference_to(query, memory, chosen.unbind(1), config, typical)
        return (*self._judged(self.network.decode(stem, features, found)), chosen, margins)

    def _buffers_of(self, kind: str) -> list[torch.Tensor]:
        return [self.get_buffer(f"{kind}_{level}") for level in range(self.levels)]

    def _judged(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = logits.softmax(1)[:, 1]
        largest = maps.flatten(1).topk(self.top_pixels).values
        return maps, largest.double().mean(1).float()
