"""From a job to tables and a registry: what ``orchestrator.sweep`` does, and other commands too."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.console import Console

from memseg.config.precision import read_cpu_flags, resolve_precision
from memseg.data.textures import PROCEDURAL_TEXTURES
from memseg.errors import DataError
from memseg.storage import Folder, open_folder
from memseg.training.shares import check_split
from orchestrator.aggregation.tables import Tables, make_tables
from orchestrator.aggregation.terminal import print_tables
from orchestrator.aggregation.write import write_failures, write_tables
from orchestrator.job.job import Job
from orchestrator.ledger.contents import record_contents
from orchestrator.ledger.event_log import read_events
from orchestrator.ledger.ledger import Done, Ledger, Record
from orchestrator.ledger.pending import pending
from orchestrator.ledger.reading import read_records
from orchestrator.planning.allotment import Allotment, allot
from orchestrator.planning.estimate import estimate, largest_trial_gib
from orchestrator.planning.hardware import Capacity, resolve_device, this_machine
from orchestrator.planning.inventory import Inventory, gather_inventory
from orchestrator.planning.plan import Plan, make_plan
from orchestrator.planning.plan_file import plan_bytes
from orchestrator.planning.render import as_text, render_dry_run
from orchestrator.publishing import drop_weights, publish_winners


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    complete: bool
    """All its trials are done and its winners in the registry; True for a dry run."""
    tables: Tables | None = None
    """None for a dry run."""


def run_job(job: Job, console: Console) -> Outcome:
    """Plans, runs what the ledger does not have, writes tables, publishes the winners.

    Raises SettingError, DataError and the like before anything is started; StorageDownError
    where the workspace is gone in the middle.
    """
    config = job.config
    address = config.address or os.environ.get("RAY_ADDRESS")
    if config.executor != "ray" or config.dry_run or not address:
        return _run(job, console, this_machine(os.environ), read_cpu_flags())
    # A cluster's devices decide what can run there, not those of the machine that plans.
    from orchestrator.running.ray_capacity import cluster_capacity, common_cpu_flags
    from orchestrator.running.ray_executor import ray_session

    with ray_session(config.address):
        return _run(job, console, cluster_capacity(), common_cpu_flags())


def _run(job: Job, console: Console, capacity: Capacity, flags: Iterable[str]) -> Outcome:
    plan, inventory, allotment, ledger = _plan(job, capacity, flags)
    records = read_records(ledger, plan.trials, functools.partial(_say, console))
    if job.config.dry_run:
        done = {key for key, record in records.items() if isinstance(record, Done)}
        results = [r.result for r in records.values() if isinstance(r, Done)]
        costs = estimate(plan, allotment, done, results)
        console.print(as_text(render_dry_run(job, plan, costs, done)), end="", highlight=False,
                      markup=False, soft_wrap=True)  # fmt: skip
        return Outcome(True)
    if not plan.trials:
        problems = "; ".join(plan.problems.values())
        raise DataError(f"no category can be trained: {problems}")
    folder = ledger.workspace.sub(f"sweeps/{plan.name}")
    folder.write("plan.json", plan_bytes(plan))
    for category in inventory.categories:
        record_contents(ledger.workspace, category)
    to_do = pending(plan.trials, records, retry=job.config.retry_failed,
                    pruning=job.config.scheduler != "none")  # fmt: skip
    _announce(job, plan, len(to_do), allotment, console)
    if to_do:
        # torch and Ray take seconds to import: only when there is something to run.
        from orchestrator.running.execute import execute

        execute(job, plan, records, to_do, allotment, ledger, console)
        records = read_records(ledger, plan.trials)
    tables = make_tables(plan, records)
    published = _conclude(tables, records, ledger, folder, console)
    return Outcome(published and tables.complete, tables)


def _plan(
    job: Job, capacity: Capacity, flags: Iterable[str]
) -> tuple[Plan, Inventory, Allotment, Ledger]:
    config = job.config
    device = resolve_device(config.device, capacity.gpus)
    ledger = Ledger(open_folder(config.workspace))
    inventory = gather_inventory(job, os.environ)
    plan = make_plan(job, inventory, resolve_precision("auto", device, flags))
    for trial in plan.trials:
        check_split(trial.method.training.batch_size, config.resources.workers_per_trial)
    allotment = allot(
        config.resources, config.executor, device, capacity, len(plan.trials),
        largest_trial_gib(plan),
    )  # fmt: skip
    return plan, inventory, allotment, ledger


def _announce(job: Job, plan: Plan, left: int, allotment: Allotment, console: Console) -> None:
    total = len(plan.trials) + len(plan.refused)
    said = [f"{plan.name}: {total} trials of {len(plan.categories)} categories, {left} to run"]
    if left:
        said.append(
            f"executor {allotment.executor}, {allotment.at_once} at once with "
            f"{allotment.threads} threads on {allotment.device}; workspace {job.config.workspace}"
        )
    if plan.encoder_weights == "random":
        said.append("RANDOM ENCODER WEIGHTS: figures show that it runs, not what MemSeg can do")
    if plan.textures == PROCEDURAL_TEXTURES:
        said.append("no texture folder was given: textures are drawn by the code, not DTD")
    said += [f"{category}: {problem}" for category, problem in plan.problems.items()]
    said += [f"{d.category}: {dict(d.values)} dropped: {d.reason}" for d in plan.dropped]
    said += plan.notes
    for line in said:
        _say(console, line)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False)


def _conclude(
    tables: Tables,
    records: Mapping[str, Record],
    ledger: Ledger,
    folder: Folder,
    console: Console,
) -> bool:
    """Writes, publishes and prints; returns whether all winners are in the registry."""
    write_tables(folder, tables)
    write_failures(folder, tables.plan.name, read_events(folder))
    notes = publish_winners(tables, ledger)
    drop_weights(tables.plan, records, ledger)
    places = {
        "tables": folder.at("auroc.md"),
        "trials": folder.at("trials.csv"),
        "registry": ledger.workspace.at("registry"),
    }
    print_tables(console, tables, places)
    for note in notes:
        console.print(note, markup=False, highlight=False, style="bold red")
    return not notes
