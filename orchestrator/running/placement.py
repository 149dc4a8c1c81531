"""Where and how a trial runs. Drivers and controllers have it too: neither torch nor Ray here."""

from __future__ import annotations

from dataclasses import dataclass, field

from memseg.training.intervals import Intervals
from orchestrator.planning.halving import Halving


@dataclass(frozen=True)
class Placement:
    """Nothing of it is part of a trial's identity."""

    device: str = "auto"
    threads: int = 1
    intervals: Intervals = field(default_factory=Intervals)
    evaluation_batch: int = 8
    """Test images at once; 1 after a trial ran out of memory."""
    halving: Halving | None = None
    """How trials are stopped early; None: they are not."""
