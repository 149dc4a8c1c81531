"""What this machine has, found without importing torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from memseg.cores import available_cores

GIB = 2**30


@dataclass(frozen=True)
class Capacity:
    """Of a machine or a whole cluster; memory is the head's."""

    cpus: int
    gpus: int
    memory_gib: float
    trains_elsewhere: bool = False
    """Other machines train than the one whose memory this is."""


def this_machine(environ: Mapping[str, str], root: Path = Path("/")) -> Capacity:
    """CPUs and memory that this process may use (container limits count), and NVIDIA GPUs."""
    return Capacity(
        cpus=available_cores(root),
        gpus=_gpus(environ, root),
        memory_gib=_memory(root) / GIB,
    )


def resolve_device(wanted: str, gpus: int) -> str:
    """ "cpu" or "cuda" for the setting ``device``."""
    if wanted != "auto":
        return wanted
    return "cuda" if gpus > 0 else "cpu"


def _memory(root: Path) -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _text(root / "sys/fs/cgroup/memory.max").strip()
    return min(total, int(limit)) if limit.isdigit() else total


def _gpus(environ: Mapping[str, str], root: Path) -> int:
    devices = [p for p in (root / "dev").glob("nvidia*") if p.name[6:].isdigit()]
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(devices)
    chosen = [part for part in visible.split(",") if part.strip() not in ("", "-1")]
    return min(len(devices), len(chosen))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
