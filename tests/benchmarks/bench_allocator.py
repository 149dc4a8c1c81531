"""What memory that stays with the process is worth in a training step on the CPU. Prints only.

    python -m tests.benchmarks.bench_allocator [--size 256] [--batch 8] [--threads 2] [--rounds 4]

Steps in turns, in one process: with freed memory given back to the system, which is glibc's
default, and kept (memseg/training/allocator.py). The precision is fp32. The MALLOC_ variables must
not be set.
"""

from __future__ import annotations

import argparse
import ctypes
import resource
import statistics

from memseg.training.allocator import keep_freed_memory
from memseg.training.execution import set_threads
from tests.benchmarks.bench_step import make_step

STEPS = 3
"""Of each round, after one that lets the heap settle."""


def give_back() -> bool:
    """The opposite: blocks from 128 KiB are the system's own, as glibc starts with."""
    library = ctypes.CDLL(None)
    settings = ((-4, 65536), (-3, 2**17), (-1, 2**17), (-2, 2**17))  # MMAP_MAX, and its threshold
    return all(library.mallopt(*setting) for setting in settings)


def main() -> None:
    """Prints seconds, page faults and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("size", 256), ("batch", 8), ("threads", 2), ("rounds", 4)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    set_threads(options.threads)
    step, _ = make_step(options.size, options.batch, 30, "fp32", channels_last=True)
    ways = {"given back": give_back, "kept": keep_freed_memory}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    faults = dict.fromkeys(ways, 0)
    peaks = dict.fromkeys(ways, 0)
    number = 0
    for _ in range(options.rounds):
        for way, switch in ways.items():
            if not switch():
                raise SystemExit("this system's allocator cannot be told")
            step(number)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            for _ in range(STEPS):
                number += 1
                seconds[way].append(step(number))
            used = resource.getrusage(resource.RUSAGE_SELF)
            faults[way] += used.ru_minflt - before
            peaks[way] = peaks[way] or used.ru_maxrss
    medians = {way: statistics.median(taken) for way, taken in seconds.items()}
    for way, taken in seconds.items():
        print(
            f"{way:11} {medians[way]:6.2f} s a step  [{min(taken):.2f}, {max(taken):.2f}]  "
            f"{faults[way] / len(taken):10,.0f} page faults a step  "
            f"{peaks[way] / 2**20:.2f} GiB at most after its first round"
        )
    ratios = [
        statistics.median(seconds["given back"][at : at + STEPS])
        / statistics.median(seconds["kept"][at : at + STEPS])
        for at in range(0, STEPS * options.rounds, STEPS)
    ]
    print(
        f"kept is {statistics.median(ratios):.2f} times as fast, median of {options.rounds} rounds "
        f"[{min(ratios):.2f}, {max(ratios):.2f}]"
    )


if __name__ == "__main__":
    main()
