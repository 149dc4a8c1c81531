"""The memory: images of normal samples, and their features made from them (section 3.2).

N memory samples, S side in pixels; a level's features are (N, C, H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from memseg.config.method import DifferenceConfig
from memseg.errors import DataError, EmptyDataError
from memseg.model.backbone import Trunk
from memseg.model.difference import smooth, typical_difference

_BATCH = 8
Features = tuple[list[torch.Tensor], list[torch.Tensor] | None]
"""Of the samples for each level, and what is typical between them."""


class Memory(nn.Module):
    """N memory samples. State is the images (uint8); features are made again where they serve.

    Features are kept for one state of the trunk and one precision, and made again for another:
    a memory in bf16 and a query in fp32 would differ everywhere. They are no state, so nothing
    stored can disagree with the trunk.
    """

    images: torch.Tensor

    def __init__(self, images: torch.Tensor, config: DifferenceConfig) -> None:
        """``images``: (N, 3, S, S) uint8, N >= 1. Raises DataError for anything else."""
        super().__init__()
        if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3]:
            raise DataError(f"memory images must be (N, 3, S, S), got {tuple(images.shape)}")
        if images.dtype != torch.uint8:
            raise DataError(f"memory images must be uint8 in 0..255, got {images.dtype}")
        if not len(images):
            raise EmptyDataError(
                "model.memory needs at least one memory image, got none: give normal images, or "
                "set model.memory to false"
            )
        if config.normalisation != "none" and len(images) < 2:
            raise EmptyDataError(
                f"difference.normalisation {config.normalisation} compares memory samples with "
                "each other and needs at least 2, got 1: raise memory.samples, or set it to none"
            )
        self.register_buffer("images", images)
        self.config = config
        self._features: Features | None = None
        self._made_for: tuple[int, torch.dtype | None] | None = None

    @property
    def side(self) -> int:
        """Of the samples, in pixels."""
        return self.images.shape[-1]

    def forget(self) -> None:
        """Lets the features be made again at the next call."""
        self._features = self._made_for = None

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Memory:
        self.forget()
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self.forget()
        super()._load_from_state_dict(*args, **kwargs)

    def forward(self, trunk: Trunk) -> Features:
        """Smoothed features of the samples, a (N, C, H, W) float32 for each level.

        With them their typical difference for each level, None without normalisation.
        """
        kind = self.images.device.type
        precision = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
        wanted = (trunk.generation, precision)
        if self._features is None or wanted != self._made_for:
            self._features = self._make(trunk)
            self._made_for = wanted
        return self._features

    @torch.no_grad()
    def _make(self, trunk: Trunk) -> Features:
        parts = []
        kind = next(trunk.parameters()).dtype  # float32; a test's network may be float64
        for part in torch.split(self.images, _BATCH):
            features = trunk(part.to(kind) / 255)[1]
            parts.append([smooth(level, self.config.smoothing) for level in features])
        levels = [torch.cat(level) for level in zip(*parts)]
        if self.config.normalisation == "none":
            return levels, None
        return levels, typical_difference(levels, self.config)
