"""A small network and small images to train on."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.config import MethodConfig, build
from memseg.config.method import ForegroundConfig
from memseg.model.network import MemSegNet, build_network
from memseg.model.weights import EncoderWeights
from memseg.simulation.foreground import foreground_masks
from memseg.simulation.simulate import Simulator
from memseg.training.execution import Execution, make_execution
from memseg.training.loop import TrainingImages

SIDE = 64


@dataclass
class Bench:
    """Everything that a training run takes, at 64 pixels."""

    config: MethodConfig
    data: TrainingImages
    memory: npt.NDArray[np.uint8]
    textures: torch.Tensor
    execution: Execution

    def network(self) -> MemSegNet:
        """A network as it is before the first step; the same one at each call."""
        network = copy.deepcopy(_built(self.config, self.memory.tobytes()))
        self.execution.place(network)
        network.refresh_memory()
        return network

    def simulator(self) -> Simulator:
        """The anomalies of seed 3."""
        return Simulator(self.config.simulation, self.textures, 3, self.execution.device)


@functools.lru_cache(4)  # random numbers for 20 million weights take longer than a copy
def _built(config: MethodConfig, memory: bytes) -> MemSegNet:
    images = np.frombuffer(memory, np.uint8).reshape(-1, 3, SIDE, SIDE)
    return build_network(config, images, EncoderWeights("random", None), 3)


def make_bench(**settings: object) -> Bench:
    """A bench with other settings, by dotted name with ``__`` for the dot."""
    flat = {
        "image.size": SIDE,
        "memory.samples": 2,
        "training.max_steps": 6,
        "training.batch_size": 4,
        "training.precision": "fp32",
        **{name.replace("__", "."): value for name, value in settings.items()},
    }
    config = build(MethodConfig, flat)
    random = np.random.default_rng(0)
    base = random.integers(90, 160, (1, 3, SIDE, SIDE))
    images = (base + random.integers(-10, 10, (8, 3, SIDE, SIDE))).astype(np.uint8)
    textures = torch.from_numpy(random.integers(0, 255, (4, 3, SIDE, SIDE)).astype(np.uint8))
    train = images[2:]
    data = TrainingImages(torch.from_numpy(train), foreground_masks(train, ForegroundConfig()))
    execution = make_execution("cpu", config.training.precision, config.training.channels_last)
    return Bench(config, data, images[:2], textures, execution)


@pytest.fixture
def bench() -> Bench:
    """The small bench."""
    return make_bench()
