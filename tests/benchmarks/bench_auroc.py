"""How long exact metrics take, beside scikit-learn's AUROC on the same scores, in one run.

    python tests/benchmarks/bench_auroc.py [--maps 200] [--size 256]

One thread. Prints seconds, the ratio, and the largest difference between the AUROCs. Not
collected by pytest: seconds are no test.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score

from memseg.metrics.aupro import aupro
from memseg.metrics.auroc import auroc
from memseg.metrics.evaluate import compute_metrics

T = TypeVar("T")
Maps = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]


def draw(count: int, size: int, seed: int = 0) -> tuple[Maps, Masks]:
    """Maps like a trained network's: near 0 with smooth noise, defects found in part."""
    random = np.random.default_rng(seed)
    maps = np.zeros((count, size, size), np.float32)
    masks = np.zeros((count, size, size), bool)
    for index in range(count):
        noise = cv2.resize(random.normal(-4, 2, (16, 16)).astype(np.float32), (size, size))
        if index % 2:
            for _ in range(random.integers(1, 5)):
                row, column = random.integers(0, size, 2)
                side = int(random.integers(2, size // 6))
                masks[index, row : row + side, column : column + side] = True
            noise += 5 * cv2.blur(masks[index].astype(np.float32), (9, 9))
        maps[index] = 1 / (1 + np.exp(-noise))
    return maps, masks


def torch_auroc(scores: Maps, labels: Masks) -> float:
    """One sort of all scores with their indices, in torch."""
    found, order = torch.sort(torch.from_numpy(scores.ravel()), descending=True)
    hits = torch.from_numpy(labels.ravel())[order].long()
    last = torch.cat([found[1:] != found[:-1], torch.tensor([True])])
    true = torch.cumsum(hits, 0)[last].double()
    false = (torch.nonzero(last).ravel() + 1).double() - true
    zero = torch.zeros(1, dtype=torch.float64)
    area = torch.trapezoid(torch.cat([zero, true]), torch.cat([zero, false]))
    return float(area / (true[-1] * false[-1]))


def timed(name: str, compute: Callable[[], T], repeat: int = 3) -> tuple[float, T]:
    """The fastest of ``repeat`` runs, in seconds, and the result; prints a line."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        result = compute()
        best = min(best, time.perf_counter() - start)
    print(f"{name:<46}{best:8.2f} s", flush=True)
    return best, result


def main() -> None:
    """Draws maps, computes, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=int, default=200)
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    maps, masks = draw(arguments.maps, arguments.size)
    labels = masks.any(axis=(1, 2))
    print(f"{arguments.maps} maps of {arguments.size}x{arguments.size}, one thread, best of 3")
    theirs, expected = timed(
        "pixel AUROC, scikit-learn", lambda: roc_auc_score(masks.ravel(), maps.ravel())
    )
    sorted_once, second = timed("pixel AUROC, one sort in torch", lambda: torch_auroc(maps, masks))
    ours, found = timed("pixel AUROC, memseg.metrics", lambda: auroc(maps, masks))
    timed("AUPRO, memseg.metrics", lambda: aupro(maps, masks))
    timed("all nine, compute_metrics", lambda: compute_metrics(maps, labels, masks, 100, 0.3))
    print(f"scikit-learn takes {theirs / sorted_once:.1f} times as long as one sort in torch")
    print(f"scikit-learn takes {theirs / ours:.1f} times as long as memseg.metrics")
    difference = max(abs(found - expected), abs(second - expected))
    print(f"largest difference of the AUROCs: {difference:.1e}")


if __name__ == "__main__":
    main()
