"""How much of the bare network's speed predictions keep, and their memory. Prints; asserts nothing.

    python tests/benchmarks/bench_predict.py [--size 256] [--batch 8] [--threads 2] [--images 64]
        [--picture 1024] [--rounds 5] [--overlays all] [--precision auto]

Times whole runs into a folder (reading, decoding, network, table, heat maps) and the bare network
on the same batches, already decoded, in turns in one process on the same cores, so that a
drifting machine drifts for both; the ratio is of the medians, and of each pair of turns. The
network's weights are random: they do not change the time. Wanted: at least 0.8.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from memseg.config import MethodConfig, build
from memseg.config.precision import read_cpu_flags, resolve_precision
from memseg.data.decoding import decode_image
from memseg.model.network import build_network
from memseg.model.weights import EncoderWeights
from memseg.prediction.images import THREADS
from memseg.prediction.model import Model
from memseg.prediction.network_backend import NetworkBackend
from memseg.prediction.policy import GIVEN, Threshold, Thresholds
from memseg.prediction.run import predict_into
from memseg.training.execution import make_execution, set_threads


def make_model(size: int, samples: int, precision: str) -> Model:
    """A network with random weights that says it is a model."""
    config = build(MethodConfig, {"image.size": size, "memory.samples": samples})
    memory = np.random.default_rng(0).integers(0, 255, (samples, 3, size, size)).astype(np.uint8)
    network = build_network(config, memory, EncoderWeights("random", None), 0)
    backend = NetworkBackend(network, make_execution("cpu", precision, channels_last=True), size)
    thresholds = Thresholds(Threshold(0.5, GIVEN), Threshold(0.5, GIVEN))
    return Model(backend, "bench", "0000", "here", 100, thresholds)


def draw(folder: Path, count: int, side: int) -> list[Path]:
    """PNGs of smooth colour with grain, as a camera gives them."""
    random = np.random.default_rng(0)
    paths = []
    for i in range(count):
        coarse = random.integers(30, 220, (8, 8, 3)).astype(np.uint8)
        image = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC) // 2
        image += random.integers(0, 16, image.shape).astype(np.uint8)
        paths.append(folder / f"{i:05}.png")
        paths[-1].write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return paths


def peak_mib() -> float:
    """The largest resident size so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Prints images a second of both, their ratio, and the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--samples", type=int, default=30, help="memory samples")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--decoders", type=int, default=THREADS)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--picture", type=int, default=1024, help="side of the images in pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--overlays", choices=("all", "anomalous", "none"), default="all")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    options = parser.parse_args()
    set_threads(options.threads)
    precision = resolve_precision(options.precision, "cpu", read_cpu_flags())
    model = make_model(options.size, options.samples, precision)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "images"
        folder.mkdir()
        paths = draw(folder, options.images, options.picture)
        decoded = np.stack([decode_image(p.read_bytes(), p.name, options.size) for p in paths])

        def bare() -> float:
            before = time.perf_counter()
            for start in range(0, len(decoded), options.batch):
                model.backend.maps(decoded[start : start + options.batch])
            return time.perf_counter() - before

        def whole() -> float:
            before = time.perf_counter()
            predict_into(
                f"{place}/out", model, str(folder), options.batch, options.decoders,
                options.overlays,
            )  # fmt: skip
            return time.perf_counter() - before

        bare()  # both once to warm up: the memory's features, what is imported on the way
        whole()
        pairs = [(bare(), whole()) for _ in range(options.rounds)]
    alone, together = (statistics.median(times) for times in zip(*pairs))
    ratios = sorted(first / second for first, second in pairs)
    print(
        f"{options.images} PNGs of {options.picture}², batch {options.batch} at {options.size}², "
        f"{precision}, {options.threads} threads, {options.decoders} decoders, overlays "
        f"{options.overlays}, median of {options.rounds}"
    )
    print(f"bare network   {options.images / alone:7.2f} images/s")
    print(f"predictions    {options.images / together:7.2f} images/s")
    print(f"ratio          {alone / together:7.2f}  [{ratios[0]:.2f}, {ratios[-1]:.2f}]")
    print(f"peak resident  {peak_mib():7.0f} MiB, with {options.images} decoded images beside")


if __name__ == "__main__":
    main()
