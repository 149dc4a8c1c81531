"""Runs code in a process where some packages cannot be imported, as if they were not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in {blocked!r}:
            raise ModuleNotFoundError("No module named " + repr(top), name=top)
        return None

sys.meta_path.insert(0, Blocker())
"""


def run_without(blocked: Iterable[str], code: str) -> subprocess.CompletedProcess[str]:
    """``code`` in a new Python, without ``blocked`` (top-level names of packages)."""
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", _BLOCKER.format(blocked=set(blocked)) + code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
