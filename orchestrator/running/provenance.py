"""What a result was computed with: packages, commit, memory. No host name, no user name."""

from __future__ import annotations

import functools
import resource
import subprocess
from pathlib import Path

from memseg import packages


def package_versions() -> dict[str, str]:
    """Versions of what the numbers may depend on; a package that is absent is left out."""
    return packages.package_versions((*packages.METHOD, "ray"))


@functools.cache  # what runs is what was there when it was first asked for
def git_commit() -> str | None:
    """The commit of the code that runs, with "+" where it was changed; None without git."""
    root = Path(__file__).parents[2]
    try:
        head = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+"],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() or None


def peak_memory_gib() -> float:
    """The largest resident size of this process so far, in GiB."""
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kib / 2**20, 3)
