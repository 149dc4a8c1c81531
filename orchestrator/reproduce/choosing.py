"""Which experiments a command line asks for, and which of them the data can give. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from memseg.config.settings import unknown_setting
from memseg.errors import SettingError
from orchestrator.job.job import Job
from orchestrator.reproduce.experiment import BTAD, CATEGORIES, Experiment

EVERYTHING = "all"
_ALSO_CALLED = {"figure10": "table6"}
"""What is made with another experiment."""
_MEMORY = "model.memory"


def split_arguments(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names before the first option, and the options: ["table3,table4"], ["--preset", …]."""
    first = next((i for i, token in enumerate(argv) if token.startswith("-")), len(argv))
    words = [word.strip() for token in argv[:first] for word in token.split(",")]
    return [_ALSO_CALLED.get(word, word) for word in words if word], list(argv[first:])


def wanted(names: Iterable[str], offered: Sequence[Experiment]) -> tuple[Experiment, ...]:
    """The experiments of these names, in the paper's order; EVERYTHING is all of them.

    Raises SettingError for none and for a name that is not offered.
    """
    names, known = list(names), [experiment.name for experiment in offered]
    if not names:
        raise SettingError(
            f"what is to be reproduced? Give {', '.join(known)} or {EVERYTHING} before the options"
        )
    for name in names:
        if name not in (*known, EVERYTHING):
            raise unknown_setting(name, (*known, EVERYTHING), "experiment")
    return tuple(e for e in offered if EVERYTHING in names or e.name in names)


def of_the_data(
    experiments: Sequence[Experiment], names: Iterable[str], present: Sequence[str]
) -> tuple[tuple[Experiment, ...], tuple[str, ...]]:
    """Those that have a category among ``present``, and why the others are left out.

    One that was asked for by its own name is kept for any categories that there are, but for a
    table of one data set's categories, which another known one does not belong under; of
    EVERYTHING only what is of a data set that the categories belong to.
    """
    named = set(names)
    known = {s for s, found in CATEGORIES.items() if set(found) & set(present)} or set(CATEGORIES)
    kept, left_out = [], []
    of_other_data: dict[str, list[str]] = {}
    for experiment in experiments:
        asked_for = experiment.name in named and not experiment.only_its_data
        if not set(present) - set(experiment.leaves_out):
            left_out.append(
                f"{experiment.name} is left out: of it the paper leaves out "
                f"{' and '.join(experiment.leaves_out)}, and there is no other category"
            )
        elif experiment.data_set not in known and not asked_for:
            of_other_data.setdefault(experiment.data_set, []).append(experiment.name)
        else:
            kept.append(experiment)
    left_out += [_without_data(data_set, found) for data_set, found in of_other_data.items()]
    return tuple(kept), tuple(left_out)


def _without_data(data_set: str, names: Sequence[str]) -> str:
    layout = " and --data.layout btad" if data_set == BTAD else ""
    return (
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} left out: none of the categories "
        f"of {data_set} ({', '.join(CATEGORIES[data_set])}) is there; a command of its own with "
        f"its --data.root{layout} makes what is of {data_set}"
    )


def named_job(job: Job, names: Sequence[str], experiments: Sequence[Experiment]) -> Job:
    """The job under a name of its own, ``reproduce-WHAT``, unless it has been given one.

    Raises SettingError for what has no meaning here: a grid, early stopping, a choice by test.
    """
    config = job.config
    if job.grid:
        raise SettingError(
            f"grid.{job.grid[0].name}: reproduce has the rows of the paper's tables and no grid; "
            "drop it with --grid null, or use python -m orchestrator.sweep"
        )
    if config.scheduler != "none":
        raise SettingError("reproduce runs each row to its last step: set scheduler none")
    if config.selection == "test":
        raise SettingError("reproduce chooses nothing, selection test would have no effect")
    of_memory = [experiment.name for experiment in experiments if experiment.needs_memory]
    if of_memory and any(s.get(_MEMORY) is False for s in (job.method, *job.per_category.values())):
        raise SettingError(
            f"{_MEMORY} false: {' and '.join(of_memory)} would have nothing to show; drop the "
            "setting, or name the experiments that are wanted"
        )
    if job.is_named:
        return job
    what = EVERYTHING if EVERYTHING in names else "-".join(e.name for e in experiments)
    return replace(job, config=replace(config, name=f"reproduce-{what}"))
