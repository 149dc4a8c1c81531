"""Small networks with random weights, and images to show them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.config import MethodConfig, build
from memseg.model.network import MemSegNet, build_network
from memseg.model.weights import EncoderWeights

SIDE = 64


def _draw_images(count: int, seed: int) -> npt.NDArray[np.uint8]:
    """A common coarse picture, each with its own patches and noise."""
    random = np.random.default_rng(seed)
    common = np.random.default_rng(99).integers(60, 200, (1, 3, SIDE // 8, SIDE // 8))
    coarse = common + random.integers(-50, 50, (count, 3, SIDE // 8, SIDE // 8))
    fine = coarse.repeat(8, 2).repeat(8, 3) + random.integers(-8, 8, (count, 3, SIDE, SIDE))
    return fine.clip(0, 255).astype(np.uint8)


def _as_input(images: npt.NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(images).float() / 255


@pytest.fixture(scope="session")
def memory_images() -> npt.NDArray[np.uint8]:
    """(3, 3, 64, 64) uint8."""
    return _draw_images(3, seed=0)


@pytest.fixture
def known(memory_images: npt.NDArray[np.uint8]) -> torch.Tensor:
    """The memory images as the network's input."""
    return _as_input(memory_images)


@pytest.fixture
def unknown() -> torch.Tensor:
    """Images that no memory holds, (4, 3, 64, 64) in [0, 1]."""
    return _as_input(_draw_images(4, seed=1))


@pytest.fixture(scope="session")
def make_config() -> Callable[..., MethodConfig]:
    """A configuration at 64 pixels; settings by dotted name with ``__`` for the dot."""

    def make(**settings: Any) -> MethodConfig:
        flat = {name.replace("__", "."): value for name, value in settings.items()}
        return build(MethodConfig, {"image.size": SIDE, **flat})

    return make


@pytest.fixture(scope="session")
def make_network(
    make_config: Callable[..., MethodConfig], memory_images: npt.NDArray[np.uint8]
) -> Callable[..., MemSegNet]:
    """A network with random weights of a seed whose memory is ``memory_images``."""
    built: dict[int, MemSegNet] = {}

    def build_one(seed: int, **settings: Any) -> MemSegNet:
        random = EncoderWeights("random", None)
        return build_network(make_config(**settings), memory_images, random, seed)

    def make(seed: int = 0, **settings: Any) -> MemSegNet:
        if settings:
            return build_one(seed, **settings)
        if seed not in built:  # random numbers for 20 million weights take longer than a copy
            built[seed] = build_one(seed)
        return copy.deepcopy(built[seed])

    return make


@pytest.fixture(scope="session")
def take_steps() -> Callable[..., None]:
    """Trains a network in place for two steps of a large learning rate."""

    def take(network: MemSegNet, images: torch.Tensor, bf16: bool = False) -> None:
        optimizer = torch.optim.SGD(network.trainable_parameters(), lr=0.1, momentum=0.9)
        target = torch.zeros(len(images), *images.shape[2:], dtype=torch.long)
        target[:, 10:30, 20:40] = 1
        for _ in range(2):
            network.train()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits = network(images)
            loss = torch.nn.functional.cross_entropy(logits.float(), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return take
