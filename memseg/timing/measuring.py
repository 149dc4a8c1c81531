"""Times a model's anomaly maps. B images at once, S side in pixels."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from memseg.errors import is_out_of_memory
from memseg.prediction.backend import Backend
from memseg.timing.report import BatchTimes

BATCHES = (1, 2, 4, 8, 16, 32)
SECONDS = 5.0
LEAST_RUNS = 5
WARM_UP = 2
"""Runs before the first that counts: features of the memory, caches, a GPU's clocks."""


def time_batches(
    backend: Backend,
    batches: Sequence[int] = BATCHES,
    seconds: float = SECONDS,
    progress: Callable[[int], None] = lambda batch: None,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[BatchTimes, ...]:
    """Runs of ``backend.maps`` for each batch size: at least ``LEAST_RUNS``, and ``seconds`` long.

    A batch that does not fit into memory has no runs, and no larger one is tried after it.
    ``progress`` is told each batch size before it starts. A call ends when its maps are in the
    CPU's memory, so a GPU has finished.
    """
    found = []
    for batch in sorted(set(batches)):
        progress(batch)
        try:
            found.append(BatchTimes(batch, _runs(backend, batch, seconds, clock)))
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            found.append(BatchTimes(batch, ()))
            break
    return tuple(found)


def _runs(
    backend: Backend, batch: int, seconds: float, clock: Callable[[], float]
) -> tuple[float, ...]:
    # Noise, not zeros: denormal numbers and skipped work would be another speed.
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (batch, 3, backend.size, backend.size)).astype(np.uint8)
    for _ in range(WARM_UP):
        backend.maps(images)
    runs: list[float] = []
    while len(runs) < LEAST_RUNS or sum(runs) < seconds:
        started = clock()
        backend.maps(images)
        runs.append(clock() - started)
    return tuple(runs)
