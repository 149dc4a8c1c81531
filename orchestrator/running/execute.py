"""Runs the pending trials of a plan with the executor that the job names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console

from memseg.training.loop import Intervals
from orchestrator.job.job import Job
from orchestrator.job.layouts import layout_of
from orchestrator.ledger.ledger import Done, Ledger, Record
from orchestrator.planning.allotment import Allotment
from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Trial
from orchestrator.publishing import drop_weights
from orchestrator.running import events
from orchestrator.running.events import Event, Listener
from orchestrator.running.inline import run_inline
from orchestrator.running.inputs import Sources
from orchestrator.running.progress import begin
from orchestrator.running.trial_run import Placement
from orchestrator.running.view import SweepView

_NEVER = 10**9


def execute(
    job: Job,
    plan: Plan,
    records: Mapping[str, Record],
    to_do: Sequence[Trial],
    allotment: Allotment,
    ledger: Ledger,
    console: Console,
) -> None:
    """Runs ``to_do``; what became of each trial is in the ledger.

    ``records``: what the ledger said of the plan before. Raises SettingError when nothing can
    be started.
    """
    config = job.config
    score = "image_auroc" if config.selection == "test" else "synthetic_score"
    finished = Counter(t.category for t in plan.trials if isinstance(records.get(t.key), Done))
    planned = {c.category: plan.planned(c.category) for c in plan.categories}
    view = SweepView(console, begin(planned, finished, to_do, score))
    sources = Sources(
        root=str(config.data.root),
        layout=layout_of(config.data),
        textures=config.textures,
        encoder_weights=config.encoder_weights,
    )
    placement = Placement(
        device=allotment.device,
        threads=allotment.threads,
        intervals=Intervals(checkpoint_steps=config.checkpoint_every_steps or _NEVER),
    )
    listener = _dropping(plan, ledger, view)
    if config.executor == "inline":
        with view:
            run_inline(to_do, sources, placement, ledger, listener)
        return
    # Ray takes seconds to import: only when it is used.
    from orchestrator.running.ray_executor import ray_session, run_on_ray

    with ray_session(config.address), view:
        run_on_ray(
            to_do, sources, placement, ledger, listener, allotment,
            config.resources.max_concurrent, plan.name,
        )  # fmt: skip


def _dropping(plan: Plan, ledger: Ledger, view: Listener) -> Listener:
    """A Listener that also drops weights of beaten trials as soon as they are beaten.

    Only with one seed: a mean over seeds that are not all there yet may still change its mind.
    """
    if len(plan.seeds) > 1 or plan.keep_weights == "all":
        return view

    def listen(event: Event) -> None:
        view(event)
        if event.kind == events.DONE:
            trials = plan.trials_of(event.category)
            drop_weights(plan, ledger.read_all(trials), ledger)

    return listen
