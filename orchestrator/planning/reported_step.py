"""Which of a run's steps its figures are of, in words for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LAST, VALIDATION, TEST = "last", "validation", "test"
ORACLE = "ORACLE"
"""In what is said of figures that flatter."""


@dataclass(frozen=True, order=True)
class ReportedStep:
    """How a run's step is chosen."""

    way: str
    """last, validation or test."""
    every: int
    """Steps between those it is chosen among; 0 where none is."""

    @property
    def oracle(self) -> bool:
        """Whether the test set chooses it: then its figures flatter."""
        return self.way == TEST

    def __str__(self) -> str:
        if self.way == LAST:
            return "the last, not chosen by the test set"
        of = f"of every {self.every} and the last, the best on"
        if self.way == VALIDATION:
            return f"{of} synthetic validation, not chosen by the test set"
        return f"{of} the TEST SET: an {ORACLE}, its figures flatter"


def reported_step(settings: Mapping[str, Any]) -> ReportedStep:
    """Of a trial with these settings by dotted name; results made before it was one have none."""
    way = settings.get("training.reported_step", LAST)
    return ReportedStep(way, 0 if way == LAST else settings["training.judged_every"])


def reported_steps(trials: Iterable[Mapping[str, Any]]) -> list[ReportedStep]:
    """The different ones of trials, given by their settings."""
    return sorted({reported_step(settings) for settings in trials})
