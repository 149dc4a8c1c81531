"""What the registry's commands share."""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

from rich.console import Console

from memseg.errors import RegistryError, StorageError
from memseg.storage import Folder, open_folder
from memseg.versions.version import Version
from orchestrator.registry.registry import Registry

OK, PROBLEMS, WRONG = 0, 1, 2
LEAST_PREFIX = 4

Run = Callable[[argparse.Namespace], int]
Adder = Callable[[Any, argparse.ArgumentParser], None]
"""Adds commands to argparse's subparsers; ``common`` is the parent of each of them."""


def open_workspace(location: str) -> Folder:
    """Raises StorageError where it does not exist."""
    workspace = open_folder(location)
    if not workspace.exists():
        raise StorageError(f"workspace {workspace.path} does not exist: give --workspace DIR")
    return workspace


def open_registry(location: str) -> Registry:
    """The registry of a workspace."""
    return Registry(open_workspace(location).sub("registry"))


def console() -> Console:
    """Not a terminal: no folding at 80 columns, so that lines can be searched."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def find_version(registry: Registry, category: str, beginning: str) -> Version:
    """The version whose id begins so. Raises RegistryError."""
    ids = known_ids(registry, category)
    found = [i for i in ids if i.startswith(beginning)]
    if len(beginning) < LEAST_PREFIX or len(found) != 1:
        raise RegistryError(
            f"{beginning!r} names {len(found)} versions of {category!r}, one is needed (at least "
            f"{LEAST_PREFIX} characters); there are: {', '.join(ids)}"
        )
    return registry.version(category, found[0])


def known_ids(registry: Registry, category: str) -> tuple[str, ...]:
    """The category's versions. Raises RegistryError where there is none."""
    ids = registry.version_ids(category)
    if not ids:
        known = ", ".join(registry.categories()) or "none"
        raise RegistryError(f"no models of {category!r} in the registry; categories: {known}")
    return ids


def plain(text: str) -> str:
    """Text of a file for the terminal: without control characters, which could act on it."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")


def size_text(size: int) -> str:
    """Bytes for people: "71.3 MB"."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size} bytes"


def percent(value: float | None) -> str:
    """A fraction in per cent."""
    return "not defined" if value is None else f"{100 * value:.2f}"
