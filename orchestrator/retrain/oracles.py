"""What a job of ``retrain`` must not ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from memseg.errors import SettingError
from orchestrator.job.job import Job

_STEP = "training.reported_step"


def refuse_oracles(job: Job) -> None:
    """Raises SettingError where the test set would choose a trial or the step it is reported at.

    It is also what new models are compared with their champions on: one that was chosen by it
    would win by that.
    """
    if job.config.selection == "test":
        raise _refused("selection test", "selection synthetic")
    if "test" in _steps(job):
        raise _refused(f"{_STEP} test", f"{_STEP} validation, or last")


def _steps(job: Job) -> Iterator[Any]:
    yield job.method.get(_STEP)
    for settings in job.per_category.values():
        yield settings.get(_STEP)
    for axis in job.grid:
        if _STEP in axis.names:
            at = axis.names.index(_STEP)
            yield from (values[at] for values in axis.values)


def _refused(asked: str, instead: str) -> SettingError:
    return SettingError(
        f"retrain compares new models with their champions on the test set, and {asked} would let "
        f"it choose the new ones: set {instead}"
    )
