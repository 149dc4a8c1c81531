"""How far two workers are from one in float32, and how long their steps take. Asserts nothing.

    python tests/benchmarks/bench_workers.py [--size 64] [--batch 8] [--steps 20]

Two processes over gloo on this machine, then one, each with one thread. In float64 they agree to
rounding (tests/memseg/training/test_workers.py); in float32 rounding grows from step to step.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import distributed

from memseg.config import MethodConfig, build
from memseg.config.method import ForegroundConfig
from memseg.data.textures import load_textures
from memseg.model.network import build_network
from memseg.model.weights import EncoderWeights
from memseg.simulation.foreground import foreground_masks
from memseg.simulation.simulate import Simulator
from memseg.training.execution import make_execution, set_threads
from memseg.training.intervals import Intervals
from memseg.training.loop import TrainingImages, train
from memseg.training.workers import current_workers


class NoCheckpoints:
    """Keeps nothing."""

    def load(self) -> bytes | None:
        """Always None."""
        return None

    def save(self, step: int, data: bytes) -> None:
        """Nothing."""

    def discard(self) -> None:
        """Nothing."""


LOSSES, SECONDS = "losses", "seconds"


class Told:
    """A Reporter that keeps each step's loss."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        self.losses.append(values["loss"])

    def event(self, message: str) -> None:
        print(message)


def work(size: int, batch: int, steps: int) -> dict[str, torch.Tensor]:
    """A training by this process and those it is joined with: weights, losses, seconds a step."""
    config = build(
        MethodConfig,
        {
            "image.size": size,
            "memory.samples": 4,
            "training.batch_size": batch,
            "training.max_steps": steps,
            "training.precision": "fp32",
        },
    )
    set_threads(1)
    random = np.random.default_rng(0)
    base = random.integers(90, 160, (1, 3, size, size))
    images = (base + random.integers(-10, 10, (20, 3, size, size))).astype(np.uint8)
    execution = make_execution("cpu", "fp32", config.training.channels_last)
    network = build_network(config, images[:4], EncoderWeights("random", None), 0)
    execution.place(network)
    foregrounds = foreground_masks(images[4:], ForegroundConfig())
    textures = torch.from_numpy(load_textures(None, size))
    told = Told()
    summary = train(
        network,
        TrainingImages(torch.from_numpy(images[4:]), foregrounds),
        Simulator(config.simulation, textures, 0, execution.device),
        config, 0, execution, told, NoCheckpoints(), Intervals(report_steps=1),
        workers=current_workers(),
    )  # fmt: skip
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    found = {LOSSES: told.losses, SECONDS: [summary.step_seconds or 0.0]}
    return {**state, **{n: torch.tensor(v, dtype=torch.float64) for n, v in found.items()}}


def compare(one: Mapping[str, torch.Tensor], two: Mapping[str, torch.Tensor]) -> None:
    """Prints differences relative to the largest value of each tensor."""
    losses = (two[LOSSES] / one[LOSSES] - 1).abs()
    print("step   loss of one worker   relative difference of two")
    for step in sorted({0, len(losses) // 4, len(losses) // 2, len(losses) - 1}):
        print(f"{step + 1:4}   {float(one[LOSSES][step]):18.6f}   {float(losses[step]):.1e}")
    weights = [
        float((two[n] - v).abs().max() / v.abs().max().clamp_min(1e-12))
        for n, v in one.items()
        if v.is_floating_point() and n not in (LOSSES, SECONDS)
    ]
    print(f"weights: median {statistics.median(weights):.1e}, largest {max(weights):.1e}")
    seconds = [float(found[SECONDS][0]) for found in (one, two)]
    print(f"a step: {seconds[0]:.3f} s with one worker, {seconds[1]:.3f} s with two")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rank", type=int, help="used by this program itself")
    parser.add_argument("--folder", type=Path, help="used by this program itself")
    given = parser.parse_args()
    if given.rank is not None:
        where = f"file://{given.folder}/store"
        distributed.init_process_group("gloo", init_method=where, rank=given.rank, world_size=2)
        found = work(given.size, given.batch, given.steps)
        save_file(found, given.folder / f"{given.rank}.safetensors")
        distributed.destroy_process_group()
        return
    settings = ["--size", given.size, "--batch", given.batch, "--steps", given.steps]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, *map(str, settings), "--folder", folder]
        environ = {"GLOO_SOCKET_IFNAME": "lo", **os.environ}
        pair = [subprocess.Popen([*command, "--rank", str(rank)], env=environ) for rank in (0, 1)]
        codes = [process.wait() for process in pair]
        if any(codes):
            sys.exit("a worker failed, see above")
        two = load_file(Path(folder) / "0.safetensors")
    compare(work(given.size, given.batch, given.steps), two)


if __name__ == "__main__":
    main()
