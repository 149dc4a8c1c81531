"""One batch: what changed, training it, and who becomes champion."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from memseg.data.layouts import discover_categories
from memseg.errors import EmptyDataError
from memseg.storage import open_folder
from orchestrator.aggregation.tables import Tables
from orchestrator.job.job import Job
from orchestrator.job.layouts import layout_of
from orchestrator.ledger.kinds import Kind, kind
from orchestrator.planning.inventory import CategoryInventory, gather_inventory
from orchestrator.registry.registry import Registry
from orchestrator.retrain.changes import CHANGED, UNUSABLE, Change, compare, waits_for_judgement
from orchestrator.retrain.configuration import Measured, best_on_average, overrides_of
from orchestrator.retrain.known import Known, known_versions
from orchestrator.retrain.promotion import settle_aliases
from orchestrator.retrain.starts import champions_to_start_from
from orchestrator.retrain.waiting import as_they_were_made
from orchestrator.sweeping import run_job

Say = Callable[[str], None]


@dataclass(frozen=True)
class Batch:
    """What one look came to."""

    changes: tuple[Change, ...]
    failed: tuple[str, ...] = ()
    """Categories that should have a new version and have none, or could not be judged."""
    lost: tuple[str, ...] = ()
    """Those of them to be tried again as they are: what failed says nothing about them, or only the
    judgement is missing."""

    @property
    def well(self) -> bool:
        """Whether nothing is left to be looked at by a person."""
        return not self.failed and all(c.state != UNUSABLE for c in self.changes)


def retrain(job: Job, console: Console, only: Iterable[str] | None = None) -> Batch:
    """Trains what is new or changed and judges it.

    ``only``: look at these categories and no others; None for all that the job names, or that
    are found below its data root. Raises MemSegError.
    """

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    workspace = open_folder(job.config.workspace)
    registry = Registry(workspace.sub("registry"))
    known = known_versions(registry, workspace, say)
    wanted = _wanted(job) if only is None else tuple(only)
    inventory = gather_inventory(_for(job, wanted), os.environ).categories if wanted else ()
    # Of categories that nobody looks at nothing is said, also not that they vanished. Their models
    # still have a say in which configuration is the registry's best.
    every = only is None and not job.config.data.categories
    trained = {n: [k.trained for k in v] for n, v in known.items() if every or n in wanted}
    if trained and not inventory and every:
        raise EmptyDataError(
            f"{job.config.data.root} has no category, and the registry has models of "
            f"{len(trained)}: is its disk mounted? Nothing was trained, nothing was changed"
        )
    changes = compare(inventory, trained)
    for change in changes:
        say(f"{change.category}: {change.state}: {change.reason}")
    to_train = tuple(change.category for change in changes if change.trains)
    if not to_train:
        say(f"nothing to do: {len(changes)} product lines looked at")
        return Batch(changes)
    starts = {}
    if job.config.retrain.warm_start:
        older = (change.category for change in changes if change.state == CHANGED)
        starts = champions_to_start_from(registry, older, say)
    job = as_they_were_made(replace(job, starts=starts), changes, inventory, known)
    if job.config.dry_run:
        run_job(_to_train(job, to_train, inventory, known, say), console)
        return Batch(changes)
    with _session(job):
        outcome = run_job(_to_train(job, to_train, inventory, known, say), console)
        assert outcome.tables is not None  # no dry run
        failed = settle_aliases(
            _for(job, to_train), outcome.tables, registry,
            {c.category: c for c in inventory}, say,
        )  # fmt: skip
    return Batch(changes, failed, _lost(failed, outcome.tables, registry))


def _lost(failed: Iterable[str], tables: Tables, registry: Registry) -> tuple[str, ...]:
    """All but those for which their images, settings or a bug are known to be the reason."""
    kinds: dict[str, list[Kind]] = defaultdict(list)
    for group in tables.failures:
        kinds[group.category].append(kind(group.kind))

    def unjudged(category: str) -> bool:
        choice = tables.choices.get(category)
        return choice is not None and choice.winner.trial.key in registry.version_ids(category)

    return tuple(
        category
        for category in failed
        if not kinds[category] or any(k.passing for k in kinds[category]) or unjudged(category)
    )


@contextlib.contextmanager
def _session(job: Job) -> Iterator[None]:
    """One Ray for the trainings and for all that is judged after them, where there is one."""
    if job.config.executor != "ray":
        yield
        return
    from orchestrator.running.ray_executor import ray_session

    with ray_session(job.config.address):
        yield


def _wanted(job: Job) -> tuple[str, ...]:
    """The job's categories, or all that are there; none where the folder has none (yet)."""
    if job.config.data.categories:
        return job.config.data.categories
    root = open_folder(job.config.data.root or "")
    try:
        return discover_categories(root, layout_of(job.config.data))
    except EmptyDataError:
        if not root.is_folder():
            raise
        return ()


def _for(job: Job, categories: tuple[str, ...]) -> Job:
    data = replace(job.config.data, categories=categories)
    return replace(job, config=replace(job.config, data=data))


def _to_train(
    job: Job,
    categories: tuple[str, ...],
    inventory: Iterable[CategoryInventory],
    known: Mapping[str, list[Known]],
    say: Say,
) -> Job:
    """The job for these categories; its name is of what they hold and start from, so that it can
    go on."""
    prints = sorted(
        f"{c.category}:{c.train_fingerprint}:{c.test_fingerprint}"
        for c in inventory
        if c.category in categories
    )
    prints += sorted(f"{category}:start:{s.weights}" for category, s in job.starts.items())
    digest = hashlib.sha256("\n".join(prints).encode()).hexdigest()[:8]
    from_registry = job.config.retrain.settings == "registry"
    overrides = _overrides(job, known, inventory, say) if from_registry else {}
    made = _for(replace(job, method={**overrides, **job.method}), categories)
    return replace(made, config=replace(made.config, name=f"{job.config.name}-{digest}"))


def _overrides(
    job: Job,
    known: Mapping[str, list[Known]],
    inventory: Iterable[CategoryInventory],
    say: Say,
) -> Mapping[str, Any]:
    """Settings of the registry's best configuration that the job does not name itself."""
    named = {*job.method, *(name for axis in job.grid for name in axis.names)}
    now = {category.category: category for category in inventory}
    versions = [
        Measured(
            category,
            {
                name: value
                for name, value in overrides_of(
                    version.settings, job.method_for(category, {}).by_name
                ).items()
                if name not in named
            },
            version.synthetic_score,
        )
        for category, readable in known.items()
        for version in readable
        # It follows from the others, and is not to change what they say before it is judged.
        if category not in now or not waits_for_judgement(version.trained, now[category])
    ]
    best = best_on_average(versions)
    if best is None or not best.overrides:
        return {}
    say(
        f"settings of the registry's best configuration ({best.categories} categories, synthetic "
        f"score {100 * best.score:.2f}): "
        + ", ".join(f"{name} {value}" for name, value in sorted(best.overrides.items()))
    )
    return best.overrides
