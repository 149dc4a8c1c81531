"""A wrong key at each place of a file: what a validator must refuse."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

Path = tuple[str | int, ...]
WRONG = "wrongKey"


def mappings(tree: Any, below: Path = ()) -> Iterator[Path]:
    """Paths of all mappings in a document, from the top down."""
    if isinstance(tree, dict):
        yield below
        for name, value in tree.items():
            yield from mappings(value, (*below, name))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from mappings(value, (*below, index))


def with_wrong_key(tree: Any, path: Path) -> Any:
    """A copy with a key too many in the mapping at ``path``.

    YAML's aliases make one mapping of several; the copy takes them apart first.
    """
    changed = _apart(copy.deepcopy(tree))
    place = changed
    for step in path:
        place = place[step]
    place[WRONG] = {"not": "known"}
    return changed


def _apart(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _apart(value) for name, value in tree.items()}
    return [_apart(value) for value in tree] if isinstance(tree, list) else tree


def shown(path: Sequence[str | int]) -> str:
    """A path as a test's name."""
    return ".".join(map(str, path)) or "top"
