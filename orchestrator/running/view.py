"""Shows a running sweep: a live table on a terminal, a line per event elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestrator.running import events
from orchestrator.running.events import Event
from orchestrator.running.progress import Progress, apply

_LINES_PER_TRIAL = 5


class SweepView:
    """A Listener; use it as a context, because a live table has to end."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console, self._progress = console, progress
        self._live: Live | None = None
        self._started = time.monotonic()

    def __enter__(self) -> SweepView:
        if self._console.is_terminal:
            self._live = Live(
                progress_table(self._progress), console=self._console, refresh_per_second=2
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Takes note of an event and shows it."""
        before, self._progress = self._progress, apply(self._progress, event)
        if self._live is not None:
            self._live.update(progress_table(self._progress))
            if event.kind not in (events.FAILED, events.NOTE, events.ATTEMPT_FAILED):
                return
        line = event_line(event, before)
        if line is not None:
            elapsed = int(time.monotonic() - self._started)
            self._console.print(
                f"{elapsed // 60:4d}:{elapsed % 60:02d} {line}", highlight=False, markup=False
            )


def event_line(event: Event, before: Progress) -> str | None:
    """One line for an event; None for progress that is not worth one."""
    name = f"{event.category} {event.key[:8]}"
    if event.kind == events.STARTED:
        return f"{name} started"
    if event.kind == events.NOTE:
        return f"{name} {event.text}"
    if event.kind == events.ATTEMPT_FAILED:
        return f"{name} attempt {event.attempt} failed, {event.text}"
    if event.kind == events.PRUNED:
        return f"{name} {event.text}: others of its category did better"
    if event.kind == events.FAILED:
        return f"{name} FAILED {event.text}"
    if event.kind == events.DONE:
        parts = [
            f"{label} {100 * event.values[key]:.2f}"
            for key, label in (
                ("image_auroc", "image AUROC"),
                ("pixel_auroc", "pixel AUROC"),
                ("synthetic_score", "synthetic"),
            )
            if key in event.values
        ]
        return f"{name} done in {_duration(event.values['seconds'])}: {', '.join(parts)}"
    total = before.max_steps.get(event.key, event.step)
    last = before.categories[event.category].running.get(event.key, 0)
    if event.step * _LINES_PER_TRIAL // total == last * _LINES_PER_TRIAL // total:
        return None
    loss, seconds = event.values.get("loss", 0.0), event.values.get("step_seconds", 0.0)
    return f"{name} step {event.step}/{total}, loss {loss:.4f}, {seconds:.2f} s a step"


def progress_table(progress: Progress) -> Table:
    """The live table: a row per category and what is left."""
    left = progress.seconds_left
    if not progress.steps_left:
        title = "all trials have ended"
    elif left is None:
        title = "time left: measured soon"
    else:
        title = f"time left: about {_duration(left)}"
    table = Table(title=title, title_justify="left", title_style="dim", box=None, pad_edge=False)
    table.add_column("category")
    for name in ("planned", "done", "running", "failed", "steps", "best", "image", "pixel"):
        table.add_column(name, justify="right")
    for name, row in progress.categories.items():
        steps = " ".join(
            f"{100 * step // max(1, progress.max_steps.get(key, step))}%"
            for key, step in list(row.running.items())[:4]
        )
        table.add_row(
            Text(name),
            str(row.planned),
            str(row.done),
            str(len(row.running)),
            f"[red]{row.failed}[/red]" if row.failed else "0",
            steps,
            _percent(row.best_score),
            _percent(row.best_values.get("image_auroc")),
            _percent(row.best_values.get("pixel_auroc")),
        )
    table.caption = (
        f"best: {progress.score.replace('_', ' ')}; image, pixel: AUROC of that trial, %"
    )
    table.caption_justify = "left"
    return table


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
