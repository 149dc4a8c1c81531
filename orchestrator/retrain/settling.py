"""Which product lines are to be trained: whole, and not tried as they are, or lost. Pure.

A folder that is being copied grows. A half-copied one must not be trained, and nothing in a folder
says that its copy is done, so that it is watched until it holds still.
"""

from __future__ import annotations

import math
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


LONGEST_PAUSE_S = 3600.0
"""Between two tries of a training that is lost again and again: it costs its hours each time."""


@dataclass(frozen=True)
class Tried:
    """What came of a category's last training."""

    snapshot: Snapshot
    """What was trained."""
    again_at: float = math.inf
    """When it is to be tried again, in seconds of the same clock; never where it was not lost."""
    pause: float = 0.0
    """Seconds that were waited for that."""


def due(tried: Tried | None, snapshot: Snapshot, clock: float) -> bool:
    """Whether a category that holds still as ``snapshot`` is to be trained."""
    return tried is None or tried.snapshot != snapshot or clock >= tried.again_at


def after_a_loss(before: Tried | None, snapshot: Snapshot, clock: float, every_s: float) -> Tried:
    """When a lost training is tried again: after ``every_s`` seconds, then after twice as long each
    time, up to an hour; a category that changed begins anew."""
    pause = every_s
    if before is not None and before.snapshot == snapshot:
        pause = max(every_s, min(2 * before.pause, LONGEST_PAUSE_S))
    return Tried(snapshot, clock + pause, pause)
