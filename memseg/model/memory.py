"""The memory: images of normal samples, and their features made from them (section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from memseg.model.backbone import Trunk
from memseg.model.difference import smooth

_BATCH = 8


class Memory(nn.Module):
    """N memory samples. State is the images (uint8); features are made again where they serve.

    They are cached for one device, precision and layout and forgotten whenever the module's
    state or place changes: a memory in bf16 and a query in fp32 would differ everywhere.
    """

    images: torch.Tensor

    def __init__(self, images: torch.Tensor, smoothing: int) -> None:
        """``images``: (N, 3, S, S) uint8."""
        super().__init__()
        self.register_buffer("images", images)
        self.smoothing = smoothing
        self._features: list[torch.Tensor] | None = None
        self._made_for: tuple[Any, ...] | None = None
        self.register_load_state_dict_post_hook(lambda module, keys: module.forget())

    def forget(self) -> None:
        """Lets the features be made again at the next call."""
        self._features = self._made_for = None

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Memory:
        self.forget()
        return super()._apply(fn, recurse)

    def forward(self, trunk: Trunk, like: torch.Tensor) -> list[torch.Tensor]:
        """Smoothed features of the samples, a (N, C, H, W) for each level.

        ``like``: the images that will be compared with them; theirs is the memory layout.
        """
        kind = like.device.type
        layout = like.is_contiguous(memory_format=torch.channels_last)
        enabled = torch.is_autocast_enabled(kind)
        wanted = (like.device, enabled, torch.get_autocast_dtype(kind), layout)
        if self._features is None or wanted != self._made_for:
            self._features = self._make(trunk, layout)
            self._made_for = wanted
        return self._features

    def _make(self, trunk: Trunk, channels_last: bool) -> list[torch.Tensor]:
        # Tensors made in inference mode could not be used in a later training step.
        with torch.inference_mode(False), torch.no_grad():
            parts = []
            for part in self.images.split(_BATCH):
                images = part.float() / 255
                if channels_last:
                    images = images.contiguous(memory_format=torch.channels_last)
                parts.append([smooth(f, self.smoothing) for f in trunk(images)[1]])
            return [torch.cat(level) for level in zip(*parts)]
