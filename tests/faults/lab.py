"""What scenarios share: the lines, the undisturbed table, and the row that each ends in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.harness import Lines, Sweep, again


@dataclass(frozen=True)
class Row:
    """One line of the fault table."""

    fault: str
    done: str
    """What was done, in words."""
    exit_codes: tuple[int, ...]
    lost: int
    """Finished trials that were lost."""
    again: int
    """Finished trials that were run again."""
    equal: bool
    """auroc.csv is the undisturbed run's, byte for byte."""
    failures: str
    seconds: float


@dataclass(frozen=True)
class Lab:
    """What scenarios share."""

    lines: Lines
    folder: Path
    undisturbed: bytes
    """auroc.csv of the run that nothing was done to."""

    def sweep(self, name: str, executor: str, *more: str) -> Sweep:
        """A sweep over a workspace of its own."""
        return Sweep(self.lines, str(self.folder / name), executor, more)

    def row(
        self, fault: str, done: str, sweep: Sweep, before: Mapping[str, bytes], started: float
    ) -> Row:
        """The row of a sweep that has ended; ``before``: results at the time of the fault."""
        after = sweep.results()
        lost, rerun = again(before, after)
        return Row(
            fault, done, tuple(sweep.exit_codes), lost, rerun,
            sweep.auroc() == self.undisturbed, sweep.failures(), time.monotonic() - started,
        )  # fmt: skip
