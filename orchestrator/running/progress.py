"""Where a sweep stands: a pure fold over events."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.planning.trial import Trial
from orchestrator.running import events
from orchestrator.running.events import Event


@dataclass(frozen=True)
class CategoryProgress:
    """One row of the live view."""

    planned: int
    done: int = 0
    failed: int = 0
    pruned: int = 0
    """Stopped early by successive halving."""
    running: Mapping[str, int] = field(default_factory=dict)
    """Trial key to steps done."""
    best_score: float | None = None
    """Largest score of a finished trial, of the kind that the sweep selects by."""
    best_values: Mapping[str, float] = field(default_factory=dict)
    """Metrics of that trial."""


@dataclass(frozen=True)
class Progress:
    """The whole sweep."""

    categories: Mapping[str, CategoryProgress]
    max_steps: Mapping[str, int]
    """Steps of each trial that is still to be done, by key."""
    score: str
    """The event value that trials are compared by: synthetic_score or image_auroc."""
    step_seconds: tuple[float, ...] = ()
    """The newest measured seconds per step."""

    @property
    def steps_left(self) -> int:
        """Steps that are still to be done by running and waiting trials."""
        done = sum(sum(row.running.values()) for row in self.categories.values())
        return sum(self.max_steps.values()) - done

    @property
    def running(self) -> int:
        """Trials that run now."""
        return sum(len(row.running) for row in self.categories.values())

    @property
    def seconds_left(self) -> float | None:
        """From the measured time of a step; None before the first measurement."""
        if not self.step_seconds or not self.running:
            return None
        return self.steps_left * statistics.median(self.step_seconds) / self.running


def begin(
    planned: Mapping[str, int],
    finished: Mapping[str, int],
    pending: Sequence[Trial],
    score: str,
) -> Progress:
    """The state before the first event."""
    return Progress(
        categories={
            name: CategoryProgress(count, done=finished.get(name, 0))
            for name, count in planned.items()
        },
        max_steps={trial.key: trial.method.training.max_steps for trial in pending},
        score=score,
    )


def apply(state: Progress, event: Event) -> Progress:
    """The state after an event."""
    row = state.categories[event.category]
    steps, measured = dict(state.max_steps), state.step_seconds
    if event.kind == events.STARTED:
        row = replace(row, running={**row.running, event.key: 0})
    elif event.kind in (events.NOTE, events.ATTEMPT_FAILED):
        pass
    elif event.kind == events.PROGRESS:
        row = replace(row, running={**row.running, event.key: event.step})
        if "step_seconds" in event.values:
            measured = (*measured[-19:], event.values["step_seconds"])
    else:
        running = {key: step for key, step in row.running.items() if key != event.key}
        row = replace(row, running=running)
        steps.pop(event.key, None)
        row = _ended(row, event, state.score)
    categories = {**state.categories, event.category: row}
    return replace(state, categories=categories, max_steps=steps, step_seconds=measured)


def _ended(row: CategoryProgress, event: Event, score: str) -> CategoryProgress:
    if event.kind == events.FAILED:
        return replace(row, failed=row.failed + 1)
    if event.kind == events.PRUNED:
        return replace(row, pruned=row.pruned + 1)
    row = replace(row, done=row.done + 1)
    value = event.values.get(score)
    if value is None or (row.best_score is not None and value <= row.best_score):
        return row
    return replace(row, best_score=value, best_values=dict(event.values))
