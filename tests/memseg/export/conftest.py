"""Small networks with random weights, and what they are when exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.config import MethodConfig, build
from memseg.export.metadata import Metadata
from memseg.export.onnx_model import OnnxModel
from memseg.export.to_onnx import to_onnx
from memseg.model.network import MemSegNet, build_network
from memseg.model.weights import EncoderWeights

SIDE = 64


def draw(count: int, seed: int) -> npt.NDArray[np.uint8]:
    """(count, 3, 64, 64): a common coarse picture, each with its own patches and noise."""
    random = np.random.default_rng(seed)
    common = np.random.default_rng(99).integers(60, 200, (1, 3, SIDE // 8, SIDE // 8))
    coarse = common + random.integers(-50, 50, (count, 3, SIDE // 8, SIDE // 8))
    fine = coarse.repeat(8, 2).repeat(8, 3) + random.integers(-8, 8, (count, 3, SIDE, SIDE))
    return fine.clip(0, 255).astype(np.uint8)


def make_network(memory: npt.NDArray[np.uint8], **settings: Any) -> MemSegNet:
    """With random weights, but BatchNorm's statistics of images: maps differ by image."""
    flat = {name.replace("__", "."): value for name, value in settings.items()}
    config = build(MethodConfig, {"image.size": SIDE, **flat})
    network = build_network(config, memory, EncoderWeights("random", None), 0)
    return with_statistics(network, draw(4, seed=1))


def with_statistics(network: MemSegNet, images: npt.NDArray[np.uint8]) -> MemSegNet:
    """The network itself, in eval mode, with BatchNorm's statistics of these images."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(images).float() / 255)
    return network.eval()


def make_metadata(**changed: Any) -> Metadata:
    """Of a model of 64 pixels."""
    values: dict[str, Any] = {
        "category": "screw",
        "version": "aaaa0001",
        "size": SIDE,
        "top_pixels": 100,
        "trained_in": "fp32",
        "thresholds": {"image_threshold": 0.3, "pixel_threshold": None},
        "settings": {"image.size": SIDE, "memory.samples": 3},
    }
    return Metadata(**{**values, **changed})


@pytest.fixture(scope="session")
def memory() -> npt.NDArray[np.uint8]:
    """(3, 3, 64, 64) uint8."""
    return draw(3, seed=0)


@pytest.fixture(scope="session")
def images() -> npt.NDArray[np.uint8]:
    """Eight images that no memory holds, (8, 3, 64, 64) uint8; not to be written to."""
    made = draw(8, seed=2)
    made.flags.writeable = False
    return made


@pytest.fixture(scope="session")
def network(memory: npt.NDArray[np.uint8]) -> MemSegNet:
    """With the method's default settings; not to be changed."""
    return make_network(memory)


@pytest.fixture(scope="session")
def exported(network: MemSegNet) -> bytes:
    """``network`` as an ONNX file."""
    return to_onnx(network, make_metadata())


@pytest.fixture(scope="session")
def model(exported: bytes) -> OnnxModel:
    """``exported``, opened."""
    return OnnxModel.from_bytes(exported, "screw.onnx", threads=1)


@pytest.fixture(scope="session")
def network_of(memory: npt.NDArray[np.uint8]) -> Callable[..., MemSegNet]:
    """Makes a network of other settings, by dotted name with ``__`` for the dot."""

    def make(images: npt.NDArray[np.uint8] = memory, **settings: Any) -> MemSegNet:
        return make_network(images, **settings)

    return make


@pytest.fixture(scope="session")
def metadata_of() -> Callable[..., Metadata]:
    """Makes metadata: ``metadata_of(**changed)``."""
    return make_metadata
