"""Carries a programme out: plans, runs what the ledger does not have, writes its outputs."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from memseg.errors import DataError, MemSegError, StorageDownError
from memseg.storage import Folder
from orchestrator.aggregation.trial_rows import make_trial_columns
from orchestrator.aggregation.write import write_failures, write_trials
from orchestrator.job.job import Job
from orchestrator.ledger.event_log import read_events
from orchestrator.ledger.reading import read_records
from orchestrator.planning.hardware import Capacity
from orchestrator.planning.render import as_text
from orchestrator.reproduce.choosing import named_job, of_the_data, wanted
from orchestrator.reproduce.dry_run import render_programme
from orchestrator.reproduce.experiment import MVTEC_AD, Experiment, Finished, Output, Part
from orchestrator.reproduce.programme import (
    Programme,
    beaten_of,
    count_done,
    make_programme,
    with_published,
)
from orchestrator.sweeping import Prepared, carry_out, look, prepare, where_it_runs

_WIDTH = 100


def reproduce(
    job: Job, names: Sequence[str], offered: Sequence[Experiment], console: Console
) -> bool:
    """Runs the experiments of these names; returns whether all their trials are done.

    Publishes nothing: rows that lack a component are no models to use. A dry run only prints, and
    is True. Raises SettingError, DataError and the like before anything is started;
    StorageDownError where the workspace is gone in the middle.
    """
    experiments = wanted(names, offered)
    job = named_job(job, names, experiments)
    return where_it_runs(job, functools.partial(_reproduce, job, names, experiments, console))


def _reproduce(
    job: Job,
    names: Sequence[str],
    experiments: Sequence[Experiment],
    console: Console,
    capacity: Capacity,
    flags: Iterable[str],
) -> bool:
    found = look(job, capacity, flags)
    present = [c.category for c in found.inventory.categories]
    kept, left_out = of_the_data(experiments, names, present)
    if not kept:
        raise DataError("; ".join(left_out))
    programme = make_programme(job, found.inventory, found.precision, kept)
    prepared = prepare(job, programme.plan, found, console)
    if job.config.dry_run:
        of_mvtec_ad = any(experiment.data_set == MVTEC_AD for experiment in kept)
        as_wanted = job.config.data.categories or not of_mvtec_ad
        missing = None if as_wanted else with_published(found.inventory)
        whole = make_programme(job, missing, found.precision, kept) if missing else None
        costs = prepared.costs(programme.with_weights)
        shown = render_programme(job, programme, costs, prepared.records, left_out, whole)
        console.print(as_text(shown), end="", highlight=False, markup=False, soft_wrap=True)
        return True
    for line in left_out:
        console.print(line, markup=False, highlight=False)
    folder, plan, records = prepared.folder, programme.plan, prepared.records
    if programme.trains:
        try:
            records = carry_out(job, prepared, console, beaten_of(programme, records))
        except KeyboardInterrupt:
            _leave_what_is_done(programme, prepared, job, console)
            raise
        write_trials(folder, make_trial_columns(plan, records, frozenset()))
        write_failures(folder, plan.name, read_events(folder))
    # Trials of pictures that train nothing are in no plan, and may have been trained by another.
    pictures = [part for part in programme.parts if not part.experiment.trains]
    others = [t for part in pictures for t in part.every_trial if t.key not in records]
    records = {**records, **read_records(prepared.ledger, others)}
    made = [
        leave_output(Finished(part, records, job, prepared.ledger), folder, console)
        for part in programme.parts
    ]
    return all(made) and count_done(plan.trials, records) == len(plan.trials) and not plan.refused


def _leave_what_is_done(
    programme: Programme, prepared: Prepared, job: Job, console: Console
) -> None:
    """The tables so far, each marked INCOMPLETE, before an interrupted command ends."""
    records = read_records(prepared.ledger, programme.plan.trials)
    for part in programme.parts:
        if part.experiment.from_results and count_done(part.plan.trials, records):
            finished = Finished(part, records, job, prepared.ledger)
            leave_output(finished, prepared.folder, console)


def leave_output(finished: Finished, folder: Folder, console: Console) -> bool:
    """Makes, writes and shows an experiment's output; returns whether all of it could be made.

    What keeps one from being made is said, and keeps no other. Raises StorageDownError.
    """
    experiment = finished.part.experiment
    try:
        output = experiment.make(finished)
        _leave(output, folder, console)
        for name in pictures_of(finished.part, [file.path for file in folder.files()]):
            if name not in output.files:  # of an earlier run, whose settings were others
                folder.delete(name)
    except StorageDownError:
        raise
    except MemSegError as error:
        text = f"{experiment.name} could not be made: {error}"
        console.print(text, markup=False, highlight=False, style="bold red")
        return False
    return output.complete


def pictures_of(part: Part, names: Iterable[str]) -> list[str]:
    """Which of these files are pictures of the experiment: of all categories or one of the part's.

    Pictures of categories that are not looked at this time are none of its. Pure.
    """
    stem = re.escape(part.experiment.pictures or part.experiment.name)
    found = [(name, re.fullmatch(rf"{stem}(?:-(.+))?\.png", name)) for name in names]
    return [
        name
        for name, match in found
        if match
        and (
            match[1] is None
            or match[1] in part.categories
            or (part.experiment.pages and match[1].isdigit())
        )
    ]


def _leave(output: Output, folder: Folder, console: Console) -> None:
    for name, data in output.files.items():
        folder.write(name, data)
    width = min(_WIDTH, console.width)
    console.print(output.shown, width=width)
    console.print(Text())
    if not output.files:
        console.print(Text("nothing was written"))
        return
    console.print(Text(f"written: {', '.join(output.files)}"), width=width)
    console.print(Text(f"in {folder.location}"), soft_wrap=True)  # in one piece, to be copied
