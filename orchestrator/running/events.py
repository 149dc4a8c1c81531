"""What happens to trials while a sweep runs, as data. Executors say it, views show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

STARTED, PROGRESS, NOTE, DONE, FAILED = "started", "progress", "note", "done", "failed"
ATTEMPT_FAILED, PRUNED = "attempt_failed", "pruned"


@dataclass(frozen=True)
class Event:
    """One thing that happened to one trial."""

    kind: str
    """started, progress, note, attempt_failed, done, pruned or failed; failed is for good."""
    category: str
    key: str
    step: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers: loss and seconds per step while it runs, metrics at the end."""
    text: str = ""
    """A note, or why it failed."""
    failure: str = ""
    """Kind of failure (orchestrator.ledger.kinds) of attempt_failed and failed."""
    attempt: int = 0
    """Which attempt failed, from 1."""


Listener = Callable[[Event], None]
