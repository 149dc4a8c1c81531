"""A small network, how it computes, and images for it."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.config import MethodConfig, build
from memseg.model.network import MemSegNet, build_network
from memseg.model.weights import EncoderWeights
from memseg.training.execution import Execution, make_execution

SIDE = 64


def _draw(count: int, seed: int) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    coarse = random.integers(60, 200, (count, 3, SIDE // 8, SIDE // 8))
    fine = coarse.repeat(8, 2).repeat(8, 3) + random.integers(-8, 8, (count, 3, SIDE, SIDE))
    return fine.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def config() -> MethodConfig:
    """The method at 64 pixels."""
    return build(MethodConfig, {"image.size": SIDE})


@pytest.fixture(scope="session")
def execution() -> Execution:
    """On the CPU, fp32."""
    return make_execution("cpu", "fp32", channels_last=True)


@pytest.fixture(scope="session")
def built(config: MethodConfig, execution: Execution) -> MemSegNet:
    """With random weights, but BatchNorm's statistics of images: maps differ by image."""
    memory = _draw(2, seed=0)
    made = build_network(config, memory, EncoderWeights("random", None), 1)
    execution.place(made)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    made.train()
    with torch.no_grad():
        made(execution.images(torch.from_numpy(_draw(4, seed=1))))
    return made


@pytest.fixture
def network(built: MemSegNet) -> MemSegNet:
    """A copy, to be changed."""
    return copy.deepcopy(built)


@pytest.fixture(scope="session")
def images() -> npt.NDArray[np.uint8]:
    """Seven images, (7, 3, 64, 64) uint8; not to be written to."""
    made = _draw(7, seed=2)
    made.flags.writeable = False
    return made
