"""From a job to tables and a registry: what ``orchestrator.sweep`` does, and other commands too."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console

from memseg.config.precision import read_cpu_flags, resolve_precision
from memseg.data.textures import PROCEDURAL_TEXTURES
from memseg.errors import DataError, SettingError
from memseg.storage import Folder, open_folder
from memseg.training.shares import check_split
from memseg.words import counted
from orchestrator.aggregation.tables import Tables, make_tables
from orchestrator.aggregation.terminal import print_tables
from orchestrator.aggregation.winners import Beaten, no_weights, weights_to_drop
from orchestrator.aggregation.write import table_places, write_failures, write_tables
from orchestrator.job.job import Job
from orchestrator.ledger.contents import record_contents
from orchestrator.ledger.event_log import read_events
from orchestrator.ledger.ledger import TRIALS, Done, Ledger, Record
from orchestrator.ledger.pending import pending
from orchestrator.ledger.reading import read_records
from orchestrator.planning.allotment import Allotment, allot
from orchestrator.planning.estimate import Estimate, estimate, largest_trial_gib
from orchestrator.planning.hardware import Capacity, resolve_device, this_machine
from orchestrator.planning.inventory import Inventory, gather_inventory
from orchestrator.planning.plan import Plan, make_plan
from orchestrator.planning.plan_file import plan_bytes
from orchestrator.planning.render import as_text, render_dry_run
from orchestrator.publishing import drop_weights, publish_winners

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    complete: bool
    """All its trials are done and its winners in the registry; True for a dry run."""
    tables: Tables | None = None
    """None for a dry run."""


@dataclass(frozen=True)
class Found:
    """What a job can be planned from, on the machine or cluster that will train."""

    inventory: Inventory
    precision: str
    """What training.precision auto means there: fp32 or bf16."""
    device: str
    capacity: Capacity
    ledger: Ledger


@dataclass(frozen=True)
class Prepared:
    """A plan, what runs it, and what the ledger knows of it already."""

    plan: Plan
    inventory: Inventory
    allotment: Allotment
    ledger: Ledger
    records: Mapping[str, Record]

    @property
    def folder(self) -> Folder:
        """``sweeps/NAME`` of the workspace."""
        return self.ledger.workspace.sub(f"sweeps/{self.plan.name}")

    def costs(self, kept: Collection[str] | None = None) -> Estimate:
        """Of what is left to do. ``kept``: as for ``estimate``."""
        results = [r.result for r in self.records.values() if isinstance(r, Done)]
        return estimate(self.plan, self.allotment, self.done, results, kept)

    @property
    def done(self) -> frozenset[str]:
        """Keys of the trials that the ledger has results of."""
        return frozenset(k for k, record in self.records.items() if isinstance(record, Done))


def run_job(job: Job, console: Console) -> Outcome:
    """Plans, runs what the ledger does not have, writes tables, publishes the winners.

    Raises SettingError, DataError and the like before anything is started; StorageDownError
    where the workspace is gone in the middle.
    """
    return where_it_runs(job, lambda capacity, flags: _run(job, console, capacity, flags))


def where_it_runs(job: Job, run: Callable[[Capacity, Iterable[str]], T]) -> T:
    """``run`` with capacity and CPU flags of what will train: this machine, or the cluster.

    The cluster is joined until ``run`` has ended; a dry run asks this machine alone.
    """
    config = job.config
    if config.resources.autoscaled_nodes and not job.on_a_cluster and not config.dry_run:
        raise SettingError(
            "resources.autoscaled_nodes are nodes of a cluster, but none is joined: set address, "
            "submit as a Ray job, or leave it out"
        )
    if config.executor != "ray" or config.dry_run or not job.on_a_cluster:
        return run(this_machine(os.environ), read_cpu_flags())
    # A cluster's devices decide what can run there, not those of the machine that plans.
    from orchestrator.running.ray_capacity import cluster_capacity, common_cpu_flags
    from orchestrator.running.ray_executor import ray_session

    with ray_session(config.address):
        return run(cluster_capacity(config.resources), common_cpu_flags())


def look(job: Job, capacity: Capacity, flags: Iterable[str]) -> Found:
    """Lists and hashes what the job names. Raises as ``gather_inventory``.

    A dry run over a workspace without any trial has no result to find by what images hold, and
    does without reading gigabytes of them.
    """
    device = resolve_device(job.config.device, capacity.gpus)
    ledger = Ledger(open_folder(job.config.workspace))
    unread = job.config.dry_run and not ledger.workspace.folders(TRIALS)
    inventory = gather_inventory(job, os.environ, unread=unread)
    return Found(inventory, resolve_precision("auto", device, flags), device, capacity, ledger)


def prepare(job: Job, plan: Plan, found: Found, console: Console) -> Prepared:
    """What will run the plan, and its records. Raises SettingError, StorageError."""
    resources = job.config.resources
    for trial in plan.trials:
        check_split(trial.method.training.batch_size, resources.workers_per_trial)
    records = read_records(found.ledger, plan.trials, functools.partial(_say, console))
    results = [record.result for record in records.values() if isinstance(record, Done)]
    allotment = allot(
        resources, job.config.executor, found.device, found.capacity, len(plan.trials),
        largest_trial_gib(plan, found.device, results),
    )  # fmt: skip
    return Prepared(plan, found.inventory, allotment, found.ledger, records)


def carry_out(
    job: Job, prepared: Prepared, console: Console, beaten: Beaten
) -> Mapping[str, Record]:
    """Runs what the ledger does not have; returns what it knows of the plan afterwards.

    ``beaten``: whose weights go as soon as a trial has ended. Writes plan.json and events.jsonl.
    Raises DataError where nothing can be trained at all, StorageDownError.
    """
    plan, ledger, records = prepared.plan, prepared.ledger, prepared.records
    if not plan.trials:
        problems = "; ".join(plan.problems.values())
        raise DataError(f"no category can be trained: {problems}")
    prepared.folder.write("plan.json", plan_bytes(plan))
    for category in prepared.inventory.categories:
        record_contents(ledger.workspace, category)
    to_do = pending(plan.trials, records, retry=job.config.retry_failed,
                    pruning=job.config.scheduler != "none")  # fmt: skip
    _announce(job, plan, len(to_do), prepared.allotment, console)
    if not to_do:
        return records
    # torch and Ray take seconds to import: only when there is something to run.
    from orchestrator.running.execute import execute

    execute(job, plan, records, to_do, prepared.allotment, ledger, console, beaten)
    return read_records(ledger, plan.trials)


def _run(job: Job, console: Console, capacity: Capacity, flags: Iterable[str]) -> Outcome:
    found = look(job, capacity, flags)
    plan = make_plan(job, found.inventory, found.precision)
    prepared = prepare(job, plan, found, console)
    if job.config.dry_run:
        shown = render_dry_run(job, plan, prepared.costs(), prepared.done)
        console.print(as_text(shown), end="", highlight=False, markup=False, soft_wrap=True)
        return Outcome(True)
    # A mean over seeds that are not all there yet may still change its mind: then only the end
    # drops weights.
    beaten = no_weights if len(plan.seeds) > 1 else weights_to_drop
    records = carry_out(job, prepared, console, beaten)
    tables = make_tables(plan, records)
    published = _conclude(tables, records, prepared, console)
    return Outcome(published and tables.complete, tables)


def _announce(job: Job, plan: Plan, left: int, allotment: Allotment, console: Console) -> None:
    total = len(plan.trials) + len(plan.refused)
    categories = counted(len(plan.categories), "category", "categories")
    said = [f"{plan.name}: {counted(total, 'trial')} of {categories}, {left} to run"]
    if left:
        threads = counted(allotment.threads, "thread")
        said.append(
            f"executor {allotment.executor}, {allotment.at_once} at once with {threads} on "
            f"{allotment.device}; workspace {job.config.workspace}"
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
    prepared: Prepared,
    console: Console,
) -> bool:
    """Writes, publishes and prints; returns whether all winners are in the registry."""
    ledger, folder = prepared.ledger, prepared.folder
    write_tables(folder, tables)
    write_failures(folder, tables.plan.name, read_events(folder))
    notes = publish_winners(tables, records, ledger)
    drop_weights(tables.plan, records, ledger)
    registry = ledger.workspace.sub("registry").location
    print_tables(console, tables, table_places(folder) | {"registry": registry})
    for note in notes:
        console.print(note, markup=False, highlight=False, style="bold red")
    return not notes
