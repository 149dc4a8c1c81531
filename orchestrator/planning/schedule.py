"""In which order trials are started, and how long a number of slots is busy with them. Pure.

A slot is what one trial runs on: a GPU, or the CPUs set aside for a trial. Started longest first,
the last trials to end are short ones, and few slots wait for them: the time is at most
4/3 - 1/(3 m) of the best possible on m slots (Graham, Bounds on multiprocessing timing anomalies,
1969).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """One trial on one slot; times in seconds after the beginning."""

    trial: int
    """Its place in the order of starting."""
    slot: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Schedule:
    """What ``simulate`` found."""

    slots: int
    start_up_s: float
    runs: tuple[Run, ...]
    """In the order of starting."""

    @property
    def makespan_s(self) -> float:
        """Until the last trial has ended."""
        return max((run.end_s for run in self.runs), default=0.0)

    @property
    def busy_s(self) -> float:
        """Slot seconds that trials took, with their start-up."""
        return sum(run.end_s - run.start_s for run in self.runs)

    @property
    def lower_bound_s(self) -> float:
        """No order on so many slots can be faster than this."""
        longest = max((run.end_s - run.start_s for run in self.runs), default=0.0)
        return max(self.busy_s / self.slots, longest)

    @property
    def ratio(self) -> float:
        """Lower bound / makespan: 1.0 is as fast as can be."""
        return self.lower_bound_s / self.makespan_s if self.makespan_s else 1.0

    @property
    def utilisation(self) -> float:
        """The share of all slots' time in which a trial did more than start up."""
        if not self.makespan_s:
            return 0.0
        started_s = self.start_up_s * len(self.runs)
        return (self.busy_s - started_s) / (self.slots * self.makespan_s)


def start_order(trials: Sequence[T], seconds: Sequence[float]) -> list[T]:
    """The trials, longest first; ``seconds`` of each in the same order.

    Equally long ones keep their order, so a category's trials stay together. Raises ValueError
    where the two are not equally many.
    """
    if len(trials) != len(seconds):
        raise ValueError(f"{len(trials)} trials and the times of {len(seconds)}")
    order = sorted(range(len(trials)), key=lambda place: -seconds[place])
    return [trials[place] for place in order]


def simulate(seconds: Sequence[float], slots: int, start_up_s: float = 0.0) -> Schedule:
    """Starts trials in the given order, each on the slot that is free first.

    ``seconds``: of each trial without its start-up, which is the same for all. Raises ValueError
    for no slots and negative times.
    """
    if slots < 1:
        raise ValueError(f"at least one slot is needed, got {slots}")
    if start_up_s < 0 or any(value < 0 for value in seconds):
        raise ValueError("a trial's time cannot be negative")
    free = [(0.0, slot) for slot in range(slots)]  # a heap as it is
    runs = []
    for trial, value in enumerate(seconds):
        start_s, slot = free[0]
        end_s = start_s + start_up_s + value
        heapq.heapreplace(free, (end_s, slot))
        runs.append(Run(trial, slot, start_s, end_s))
    return Schedule(slots, start_up_s, tuple(runs))
