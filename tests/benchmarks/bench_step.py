"""How long an optimisation step takes, and what of it is simulation. Prints; asserts nothing.

    python tests/benchmarks/bench_step.py [--size 256] [--batch 8] [--threads 2]
        [--rounds 5] [--fp32]

Times whole steps (batch, forward, backward, update) in each precision and memory layout in one
run, in turns, so that a drifting machine drifts for all of them; ratios are to fp32 without
channels_last. The encoder's weights are random: they do not change the time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from memseg.config import MethodConfig, build
from memseg.config.method import ForegroundConfig
from memseg.config.precision import read_cpu_flags, resolve_precision
from memseg.data.textures import load_textures
from memseg.model.network import build_network
from memseg.model.weights import EncoderWeights
from memseg.simulation.foreground import foreground_masks
from memseg.simulation.simulate import Simulator
from memseg.training.allocator import keep_freed_memory
from memseg.training.execution import make_execution, set_threads
from memseg.training.loop import TrainingImages, make_batch
from memseg.training.step import make_optimizer, train_step

VARIANTS = (("fp32", False), ("fp32", True), ("bf16", False), ("bf16", True))


def make_step(
    size: int, batch: int, samples: int, precision: str, channels_last: bool
) -> tuple[Callable[[int], float], Callable[[int], float]]:
    """A whole step and the making of its batch alone; each returns its seconds."""
    config = build(
        MethodConfig,
        {
            "image.size": size,
            "memory.samples": samples,
            "training.batch_size": batch,
            "training.precision": precision,
            "training.channels_last": channels_last,
        },
    )
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (samples + 16, 3, size, size)).astype(np.uint8)
    execution = make_execution("cpu", precision, channels_last)
    network = build_network(config, images[:samples], EncoderWeights("random", None), 0)
    execution.place(network)
    data = TrainingImages(
        torch.from_numpy(images[samples:]), foreground_masks(images[samples:], ForegroundConfig())
    )
    textures = torch.from_numpy(load_textures(None, size))
    simulator = Simulator(config.simulation, textures, 0, execution.device)
    optimizer = make_optimizer(config.optimizer, network.trainable_parameters())

    def whole(step: int) -> float:
        before = time.perf_counter()
        made = make_batch(data, simulator, config, 0, step, execution)
        train_step(network, optimizer, *made, config.loss, execution)
        return time.perf_counter() - before

    def batch_only(step: int) -> float:
        before = time.perf_counter()
        make_batch(data, simulator, config, 0, step, execution)
        return time.perf_counter() - before

    return whole, batch_only


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--samples", type=int, default=30, help="memory samples")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--fp32", action="store_true", help="leave out bf16: slow where the CPU emulates it"
    )
    options = parser.parse_args()
    set_threads(options.threads)
    keep_freed_memory()  # as in a training
    variants = [v for v in VARIANTS if v[0] == "fp32" or not options.fp32]
    steps = {v: make_step(options.size, options.batch, options.samples, *v) for v in variants}
    seconds: dict[tuple[str, bool], list[float]] = {variant: [] for variant in variants}
    batches: list[float] = []
    for round_ in range(options.rounds + 1):
        for variant, (whole, batch_only) in steps.items():
            taken, batch = whole(round_), batch_only(round_)
            if round_:  # the first is a warm-up
                seconds[variant].append(taken)
                batches.append(batch)
    base = statistics.median(seconds[VARIANTS[0]])
    resolved = resolve_precision("auto", "cpu", read_cpu_flags())
    print(
        f"batch {options.batch} at {options.size}², {options.samples} memory samples, "
        f"{options.threads} threads, median of {options.rounds}"
    )
    for variant, taken in seconds.items():
        precision, channels_last = variant
        median = statistics.median(taken)
        mark = "  <- precision auto" if (precision, channels_last) == (resolved, True) else ""
        print(
            f"{precision}{' channels_last' if channels_last else '':14}  "
            f"{median:6.2f} s  [{min(taken):.2f}, {max(taken):.2f}]  "
            f"{base / median:4.2f} x{mark}"
        )
    batch = statistics.median(batches)
    chosen = statistics.median(seconds.get((resolved, True), seconds["fp32", True]))
    print(f"making the batch (simulation)  {batch:.3f} s, {100 * batch / chosen:.1f} % of a step")


if __name__ == "__main__":
    main()
