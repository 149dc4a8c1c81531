"""Which precision ``training.precision: auto`` means on a device. Pure, without torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_FAST_AT_BF16 = frozenset({"amx_bf16", "avx512_bf16"})


def resolve_precision(requested: str, device: str, cpu_flags: Iterable[str]) -> str:
    """ "fp32" or "bf16" for a device ("cpu" or "cuda").

    On a CPU bf16 pays where the hardware multiplies it: with AMX a step took 0.2 to 0.25 of
    fp32's time, with AVX512_BF16 0.4 (tests/benchmarks/bench_step.py). Elsewhere convolutions in
    bf16 are emulated and *slower* than fp32. Every CUDA device that trains MemSeg in reasonable
    time (Ampere and later) is fast at it. fp16 is not offered: attention maps overflow.
    """
    if requested != "auto":
        return requested
    if device == "cuda":
        return "bf16"
    return "bf16" if _FAST_AT_BF16 & set(cpu_flags) else "fp32"


def read_cpu_flags(path: Path = Path("/proc/cpuinfo")) -> tuple[str, ...]:
    """This machine's CPU capabilities as Linux names them; () where they cannot be read."""
    try:
        for line in path.read_text().splitlines():
            if line.startswith("flags"):
                return tuple(line.partition(":")[2].split())
    except OSError:
        pass
    return ()
