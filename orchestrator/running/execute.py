"""Runs the pending trials of a plan with the executor that the job names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console

from memseg.data.layouts import LayoutConfig
from orchestrator.job.job import Job
from orchestrator.job.layouts import layout_of
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running.events import Listener
from orchestrator.running.inline import run_inline
from orchestrator.running.inputs import Sources
from orchestrator.running.progress import begin
from orchestrator.running.trial_run import Placement
from orchestrator.running.view import SweepView
from memseg.training.loop import Intervals

_NEVER = 10**9


def execute(
    job: Job,
    planned: Sequence[Trial],
    finished: Mapping[str, int],
    pending: Sequence[Trial],
    ledger: Ledger,
    console: Console,
    listener: Listener | None = None,
) -> None:
    """Runs ``pending``; what became of each trial is in the ledger.

    ``finished``: trials of each category that the ledger has already. ``listener`` hears of
    each event too. Raises SettingError when nothing can be started.
    """
    config = job.config
    score = "image_auroc" if config.selection == "test" else "synthetic_score"
    counts = Counter(trial.category for trial in planned)
    progress = begin(counts, finished, pending, score)
    sources = Sources(
        root=str(config.data.root),
        layout=layout_of(config.data),
        textures=config.textures,
        encoder_weights=config.encoder_weights,
    )
    placement = Placement(
        device=config.device,
        threads=config.resources.threads,
        intervals=Intervals(checkpoint_steps=config.checkpoint_every_steps or _NEVER),
    )
    if config.executor == "inline":
        with SweepView(console, progress) as view:
            run_inline(pending, sources, placement, ledger, _both(view, listener))
        return
    # Ray takes seconds to import: only when it is used.
    from orchestrator.running.ray_executor import RayResources, ray_session, run_on_ray

    resources = RayResources(
        cpus=config.resources.cpus_per_trial or config.resources.threads,
        gpus=config.resources.gpus_per_trial,
        max_concurrent=config.resources.max_concurrent,
    )
    with ray_session(config.address), SweepView(console, progress) as view:
        run_on_ray(
            pending, sources, placement, ledger, _both(view, listener), resources, config.name
        )


def _both(view: SweepView, listener: Listener | None) -> Listener:
    if listener is None:
        return view

    def tell(event):  # type: ignore[no-untyped-def]
        listener(event)
        view(event)

    return tell
