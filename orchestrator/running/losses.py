"""A Reporter that also keeps the training curve, for the model card."""

from __future__ import annotations

from collections.abc import Mapping

from memseg.training.reporting import Reporter

COLUMNS = ("loss", "l1", "focal")


class LossCurve:
    """Tells another Reporter, and remembers the losses that it tells.

    It knows only this process: the curve of a resumed run begins where it was resumed.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._rows: list[tuple[int, ...] | tuple[float, ...]] = []

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        """Keeps the losses of the step."""
        if all(name in values for name in COLUMNS):
            self._rows.append((step, *(values[name] for name in COLUMNS)))
        self._reporter.progress(step, values)

    def event(self, message: str) -> None:
        """Only told."""
        self._reporter.event(message)

    def to_csv(self) -> bytes | None:
        """step,loss,l1,focal; None where nothing was reported."""
        if not self._rows:
            return None
        lines = [",".join(("step", *COLUMNS))]
        lines += [",".join(f"{value:.6g}" for value in row) for row in self._rows]
        return ("\n".join(lines) + "\n").encode()
