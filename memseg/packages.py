"""Versions of installed packages, for whoever must know later what computed a number."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable

METHOD = ("memseg-orchestrator", "torch", "torchvision", "numpy", "opencv-python-headless")
"""What the method's numbers may depend on."""


def package_versions(names: Iterable[str] = METHOD) -> dict[str, str]:
    """Python's version and those of ``names``; a package that is absent is left out."""
    versions = {"python": sys.version.split()[0]}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
