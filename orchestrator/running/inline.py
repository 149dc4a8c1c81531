"""The inline executor: trials one after the other in this process, without Ray."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running import events
from orchestrator.running.attempt import attempt
from orchestrator.running.events import Event, Listener
from orchestrator.running.inputs import (
    Loaded,
    Sources,
    encoder_or_error,
    product_or_error,
    textures_or_error,
)
from orchestrator.running.outcome import outcome_event
from orchestrator.running.retries import decide
from orchestrator.running.trial_run import Placement


def run_inline(
    trials: Sequence[Trial],
    sources: Sources,
    placement: Placement,
    ledger: Ledger,
    listener: Listener,
) -> None:
    """Runs the trials in order; what became of each is in the ledger."""
    # One category is held at a time: the plan's order keeps its trials together.
    product = functools.lru_cache(maxsize=1)(functools.partial(product_or_error, sources))
    textures = functools.lru_cache(maxsize=1)(functools.partial(textures_or_error, sources))
    encoder = functools.lru_cache(maxsize=1)(functools.partial(encoder_or_error, sources))
    donors = ledger.trained(trials)
    for trial in trials:
        size = trial.method.image.size
        listener(Event(events.STARTED, trial.category, trial.key))
        loaded = Loaded(product(trial.category, size), textures(size), encoder())
        failures: tuple[str, ...] = ()
        while True:
            reporter, donor = _Listening(trial, listener), donors.get(trial.key)
            kind = attempt(trial, loaded, placement, ledger, reporter, failures, donor)
            if kind is None:
                break
            failures = (*failures, kind)
            if not decide(failures).again:
                break
        listener(outcome_event(trial, ledger))


class _Listening:
    """A Reporter that turns progress into events."""

    def __init__(self, trial: Trial, listener: Listener) -> None:
        self._trial, self._listener = trial, listener

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        self._listener(
            Event(events.PROGRESS, self._trial.category, self._trial.key, step, dict(values))
        )

    def event(self, message: str) -> None:
        self._listener(Event(events.NOTE, self._trial.category, self._trial.key, text=message))
