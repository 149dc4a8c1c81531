"""MemSeg's network (figure 2).

B batch, N memory samples, S side in pixels, a multiple of 32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from memseg.config.method import MethodConfig
from memseg.errors import DataError, EmptyDataError, WeightsError
from memseg.model.attention import attention_maps
from memseg.model.backbone import CHANNELS, build_encoder
from memseg.model.decoder import Decoder
from memseg.model.difference import difference_information, smooth
from memseg.model.fit import misfits
from memseg.model.fusion import Fusion
from memseg.model.layers import in_form_of
from memseg.model.memory import Memory
from memseg.model.weights import EncoderWeights

_STRIDE = 32
_MEMORY_IMAGES = "memory.images"


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
            if memory_images is None:
                raise EmptyDataError(
                    "model.memory needs memory images, got none: give normal images, or set "
                    "model.memory to false"
                )
            self.memory = Memory(memory_images, self.difference)
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
        """Makes the memory's features again at the next call.

        Never needed for correctness: moving the network, loading state and another precision
        or layout do it by themselves.
        """
        if self.memory is not None:
            self.memory.forget()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (B, 2, S, S) of ``images``, (B, 3, S, S) floats in [0, 1].

        Raises DataError for another shape or type, and for a size other than the memory's.
        """
        self._check(images)
        stem, features = self.trunk(images)
        found = None if self.memory is None else self._difference(features)
        return self.decode(stem, features, found)

    def decode(
        self,
        stem: torch.Tensor,
        features: Sequence[torch.Tensor],
        difference: Sequence[torch.Tensor] | None,
    ) -> torch.Tensor:
        """``forward`` after the memory: logits of the trunk's output and what differs from normal.

        ``difference``: DI* of levels 1, 2, 3; None for a network without memory. Apart from
        ``forward`` for exports, which search the memory in another form.
        """
        bottleneck = self.bottleneck(features[-1])
        skips = [f * self.difference.feature_factor for f in features]
        if difference is None:
            fused = self.fusion(skips)
        else:
            pairs = zip(skips, difference)
            fused = self.fusion([torch.cat([f, in_form_of(f, d)], 1) for f, d in pairs])
            if self.model.spatial_attention:
                maps = attention_maps(difference, self.model.m1_from, self.model.attention_mean)
                fused = [f * m.to(f.dtype) for f, m in zip(fused, maps)]
        logits: torch.Tensor = self.decoder(bottleneck, [*reversed(fused), stem])
        return logits

    def anomaly_map(self, images: torch.Tensor) -> torch.Tensor:
        """Probability of being anomalous, (B, S, S) float32 in [0, 1]."""
        logits: torch.Tensor = self(images)
        return logits.float().softmax(1)[:, 1]

    @torch.no_grad()
    def difference_information(self, images: torch.Tensor) -> list[torch.Tensor]:
        """DI* of levels 1, 2, 3 (eq. 3 and 4), each (B, C, H, W) float32, with the factor.

        0 everywhere for an image of the memory (to rounding: another batch size may round
        differently). Raises ValueError for a network without memory.
        """
        self._check(images)
        return self._difference(self.trunk(images)[1])

    @torch.no_grad()
    def attention_maps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """M1, M2, M3 (eq. 5-7), each (B, 1, H, W). Raises ValueError without memory."""
        found = self.difference_information(images)
        return attention_maps(found, self.model.m1_from, self.model.attention_mean)

    def _difference(self, features: list[torch.Tensor]) -> list[torch.Tensor]:
        if self.memory is None:
            raise ValueError("a network without memory has no difference information")
        with torch.no_grad():
            query = [smooth(f, self.difference.smoothing) for f in features]
            features, typical = self.memory(self.trunk)
            return difference_information(query, features, self.difference, typical)

    def _check(self, images: torch.Tensor) -> None:
        shape = tuple(images.shape)
        if len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3] or shape[2] % _STRIDE:
            raise DataError(
                f"images must be (B, 3, S, S) with S a multiple of {_STRIDE}, got {shape}"
            )
        if not images.is_floating_point():
            raise DataError(f"images must be floats in [0, 1], got {images.dtype}: divide by 255")
        if self.memory is not None and shape[2] != self.memory.side:
            raise DataError(
                f"images are {shape[2]} pixels wide, the memory's {self.memory.side}: resize "
                "them, or train with this image.size"
            )


def build_network(
    config: MethodConfig,
    memory_images: torch.Tensor | npt.NDArray[np.uint8] | None,
    weights: EncoderWeights,
    seed: int,
) -> MemSegNet:
    """A network before its first step; what starts from random weights follows ``seed`` alone.

    ``memory_images``: (N, 3, S, S) uint8, copied; not used where ``model.memory`` is off. With
    a random encoder BatchNorm's statistics of the trunk are estimated once on them. torch's
    global generators are left as they were. Raises DataError for memory images of another
    shape or type, EmptyDataError where there are none.
    """
    images = None if memory_images is None else _own_copy(memory_images)
    network = _seeded(config, images, weights, seed)
    if weights.state is None and images is not None and len(images):
        network.trunk.estimate_statistics(images.float() / 255)
    return network


def restore_network(config: MethodConfig, state: Mapping[str, torch.Tensor]) -> MemSegNet:
    """A trained network from its ``state_dict``, in eval mode, on the CPU.

    ``config``: the one that it was trained with. Raises WeightsError, with names, where the
    state is of another network.
    """
    images = state.get(_MEMORY_IMAGES)
    if config.model.memory and images is None:
        raise WeightsError(
            f"the weights hold no {_MEMORY_IMAGES}: model.memory was off in training"
        )
    network = _seeded(config, images, EncoderWeights("random", None), seed=0)
    load_state(network, state)
    return network.eval()


def load_state(network: MemSegNet, state: Mapping[str, torch.Tensor]) -> None:
    """Puts a ``state_dict`` into a network, all of it or, with WeightsError, nothing."""
    problems = misfits(state, network.state_dict())
    if problems:
        raise WeightsError(f"the weights are of another network: {problems}")
    network.load_state_dict(dict(state))


def start_from(network: MemSegNet, state: Mapping[str, torch.Tensor]) -> None:
    """Puts a trained network's weights into one before its first step.

    ``state``: the other's ``state_dict``. The encoder's and BatchNorm's statistics come with it;
    the memory images stay the network's own. Raises WeightsError where the state is of another
    network; then nothing was changed.
    """
    own = {name: value for name, value in network.state_dict().items() if _is_memory(name)}
    weights = {name: value for name, value in state.items() if not _is_memory(name)}
    load_state(network, {**weights, **own})


def _is_memory(name: str) -> bool:
    return name.startswith("memory.")


def _own_copy(images: torch.Tensor | npt.NDArray[np.uint8]) -> torch.Tensor:
    if isinstance(images, torch.Tensor):
        return images.detach().cpu().clone()
    return torch.from_numpy(np.array(images))


def _seeded(
    config: MethodConfig, images: torch.Tensor | None, weights: EncoderWeights, seed: int
) -> MemSegNet:
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed the GPUs too, and these are not forked.
        torch.default_generator.manual_seed(seed)
        return MemSegNet(config, images, weights)
