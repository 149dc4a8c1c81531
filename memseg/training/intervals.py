"""How often a training run speaks and saves. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Intervals:
    """Never changes a run's numbers."""

    report_steps: int = 20
    checkpoint_steps: int | None = 100
    """None: no checkpoints."""
