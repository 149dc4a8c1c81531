"""Which product lines are whole: nothing in them has changed for a while. Pure.

A folder that is being copied grows. A half-copied one must not be trained, and nothing in a folder
says that its copy is done, so that it is watched until it holds still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Snapshot = tuple[tuple[str, int, int], ...]
"""Of a category's folder: path, size and time of last change of each file, sorted."""


@dataclass(frozen=True)
class Seen:
    """When a category's files were first seen as they are."""

    snapshot: Snapshot
    since: float
    """Seconds of a clock that only goes forward."""


def look(before: Mapping[str, Seen], now: Mapping[str, Snapshot], clock: float) -> dict[str, Seen]:
    """What is known after a look: the time starts again where anything changed."""
    return {
        name: known
        if (known := before.get(name)) is not None and known.snapshot == snapshot
        else Seen(snapshot, clock)
        for name, snapshot in now.items()
    }


def settled(seen: Mapping[str, Seen], clock: float, still_s: float) -> tuple[str, ...]:
    """Names of the categories that hold still for ``still_s`` seconds at least, sorted."""
    return tuple(sorted(name for name, s in seen.items() if clock - s.since >= still_s))
