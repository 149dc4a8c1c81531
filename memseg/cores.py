"""How many CPU cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path


def available_cores(root: Path = Path("/")) -> int:
    """Cores that it may run on, at most the quota of its container; at least 1.

    ``root``: where the machine's files are found.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        count = os.cpu_count() or 1
    try:
        text = (root / "sys/fs/cgroup/cpu.max").read_text()
    except OSError:
        return count
    quota, _, period = text.partition(" ")
    if quota.isdigit() and period.strip().isdigit():
        count = min(count, max(1, int(quota) // int(period)))
    return count
