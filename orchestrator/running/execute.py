"""Runs the pending trials of a plan with the executor that the job names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console

from memseg.config.encoder import IMAGENET, RANDOM
from memseg.errors import MemSegError
from memseg.training.intervals import Intervals
from orchestrator.aggregation.winners import Beaten
from orchestrator.job.job import Job
from orchestrator.ledger.claims import Claims
from orchestrator.ledger.event_log import EventLog
from orchestrator.ledger.ledger import Done, Ledger, Record
from orchestrator.planning.allotment import Allotment
from orchestrator.planning.estimate import trial_seconds
from orchestrator.planning.halving import Halving, in_no_order, rivals_of
from orchestrator.planning.plan import Plan
from orchestrator.planning.schedule import start_order
from orchestrator.planning.trial import Trial
from orchestrator.running import events
from orchestrator.running.event_listener import ended, logged
from orchestrator.running.events import Event, Listener
from orchestrator.running.inline import run_inline
from orchestrator.running.inputs import NotLoaded, encoder_or_error
from orchestrator.running.placement import Placement
from orchestrator.running.progress import begin
from orchestrator.running.sources import Sources, sources_of
from orchestrator.running.view import SweepView


def execute(
    job: Job,
    plan: Plan,
    records: Mapping[str, Record],
    to_do: Sequence[Trial],
    allotment: Allotment,
    ledger: Ledger,
    console: Console,
    beaten: Beaten,
) -> None:
    """Runs ``to_do``; what became of each trial is in the ledger.

    ``records``: what the ledger said of the plan before. ``beaten``: whose weights are dropped,
    asked of a category whenever one of its trials is done. Raises SettingError when nothing can
    be started, StorageDownError where the workspace or the data are gone in the middle.
    """
    config = job.config
    score = "image_auroc" if config.selection == "test" else "synthetic_score"
    finished = Counter(t.category for t in plan.trials if isinstance(records.get(t.key), Done))
    planned = {c.category: plan.planned(c.category) for c in plan.categories}
    view = SweepView(console, begin(planned, finished, to_do, score))
    sources = sources_of(config)
    placement = Placement(
        device=allotment.device,
        threads=allotment.threads,
        intervals=Intervals(checkpoint_steps=config.checkpoint_every_steps or None),
        halving=_halving(job),
    )
    rivals = rivals_of(plan) if placement.halving else {}
    _check_encoder(sources)
    log = EventLog(ledger.workspace.sub(f"sweeps/{plan.name}"))
    listener = logged(log, _dropping(plan, records, ledger, view, beaten))
    log.write("sweep_started", urgent=True, planned=len(plan.trials), to_do=len(to_do))
    try:
        if config.executor == "inline":
            with view:
                run_inline(
                    in_no_order(to_do) if placement.halving else to_do,
                    sources,
                    placement,
                    ledger,
                    listener,
                    Claims(ledger, log.run),
                    rivals,
                )
        else:
            # Ray takes seconds to import: only when it is used.
            from orchestrator.running.ray_executor import ray_session, run_on_ray

            with ray_session(config.address), view:
                ordered = _in_order(plan, to_do, allotment, records)
                run_on_ray(
                    ordered, sources, placement, ledger, listener, allotment,
                    config.resources, plan.name, log.run, rivals,
                )  # fmt: skip
    except BaseException as error:
        ended(log, error)
        raise
    ended(log, None)


def _halving(job: Job) -> Halving | None:
    if job.config.scheduler == "none":
        return None
    return Halving(job.config.halving.reduction, job.config.halving.rungs)


def _in_order(
    plan: Plan, to_do: Sequence[Trial], allotment: Allotment, records: Mapping[str, Record]
) -> list[Trial]:
    """Longest first; in no order otherwise, where trials are judged as they come."""
    results = [record.result for record in records.values() if isinstance(record, Done)]
    shuffled = in_no_order(to_do)
    return start_order(shuffled, trial_seconds(plan, shuffled, allotment, results))


def _check_encoder(sources: Sources) -> None:
    """Raises WeightsError for a file of another network before a trial is started."""
    if sources.encoder_weights in (IMAGENET, RANDOM):
        return
    found = encoder_or_error(sources)
    if isinstance(found, NotLoaded):
        raise found.error


def _dropping(
    plan: Plan,
    records: Mapping[str, Record],
    ledger: Ledger,
    view: Listener,
    beaten: Beaten,
) -> Listener:
    """A Listener that also drops weights of beaten trials as soon as they are beaten."""
    if plan.keep_weights == "all":
        return view
    finished = dict(records)
    dropped: set[str] = set()

    def listen(event: Event) -> None:
        view(event)
        if event.kind != events.DONE:
            return
        try:
            record = ledger.record(event.category, event.key)
            if record is not None:
                finished[event.key] = record
            for trial in beaten(plan, finished, event.category):
                if trial.key not in dropped:
                    ledger.drop_weights(trial.category, trial.key)
                    dropped.add(trial.key)
        except MemSegError as error:  # the sweep's end drops again what is left
            view(Event(events.NOTE, event.category, event.key, text=str(error)))

    return listen
