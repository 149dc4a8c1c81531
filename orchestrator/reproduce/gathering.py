"""What is made of each category's networks, and why something is missing. Pure but for its make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from memseg.errors import DataError, MemSegError, StorageDownError
from orchestrator.aggregation.conditions import Condition
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.experiment import Finished

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Trials = Mapping[str, tuple[Trial, ...]]
"""Row's name -> the trials of one category, one a seed."""


class NothingToShowError(DataError):
    """A category has no images for an experiment: that is so, and no failure."""


@dataclass(frozen=True)
class Gathered(Generic[T_co]):
    """What could be made, by category."""

    found: Mapping[str, T_co]
    left_out: tuple[str, ...] = ()
    """Why there is nothing of a category, in sentences."""
    problems: tuple[str, ...] = ()
    """What kept something from being made, in sentences that begin with the category."""

    def conditions(self) -> Iterator[Condition]:
        """Both, for the reader."""
        yield from (Condition(f"MISSING: {problem}", True) for problem in self.problems)
        yield from (Condition(f"left out: {reason}") for reason in self.left_out)


def of_each_category(finished: Finished, make: Callable[[Trials], T]) -> Gathered[T]:
    """``make`` of each category that has trials in every row, the others' errors kept.

    Raises StorageDownError.
    """
    part = finished.part
    found: dict[str, T] = {}
    left_out, problems = [], []
    for category in part.categories:
        rows = [row.name for row in part.experiment.rows]
        if not all(part.trials[row].get(category) for row in rows):
            continue  # the plan's problems say why
        try:
            found[category] = make({row: part.trials[row][category] for row in rows})
        except NothingToShowError as error:
            left_out.append(f"{category}: {error}")
        except StorageDownError:
            raise
        except MemSegError as error:
            problems.append(f"{category}: {error}")
    return Gathered(found, tuple(left_out), tuple(problems))
