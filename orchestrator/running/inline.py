"""The inline executor: trials one after the other in this process, without Ray."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.ledger.claims import Claims
from orchestrator.ledger.kinds import STORAGE
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running import events
from orchestrator.running.attempt import attempt
from orchestrator.running.events import Event, Listener
from orchestrator.running.inputs import (
    Loaded,
    NotLoaded,
    encoder_or_error,
    product_or_error,
    textures_or_error,
)
from orchestrator.running.outcome import attempt_event, outcome_event
from orchestrator.running.placement import Placement
from orchestrator.running.pruning import Rivals
from orchestrator.running.retries import decide
from orchestrator.running.sources import Sources
from orchestrator.running.storages import StorageCheck
from orchestrator.running.turns import in_turn


def run_inline(
    trials: Sequence[Trial],
    sources: Sources,
    placement: Placement,
    ledger: Ledger,
    listener: Listener,
    claims: Claims,
    rivals: Rivals,
) -> None:
    """Runs the trials in order; what became of each is in the ledger.

    ``rivals``: keys of a category's trials, which each of them is judged among.
    Raises StorageDownError where the workspace cannot be written any more, or the data are gone.
    """
    inputs, check = _Inputs(sources), StorageCheck(ledger, sources)
    donors = ledger.trained(trials)

    def note(trial: Trial, text: str) -> None:
        listener(Event(events.NOTE, trial.category, trial.key, text=text))

    for trial, ours in in_turn(trials, claims, ledger, note):
        if ours:
            listener(Event(events.STARTED, trial.category, trial.key))
            with claims.kept(trial.category, trial.key):
                load = functools.partial(inputs.of, trial)
                _run(
                    trial, load, placement, ledger, listener, donors.get(trial.key),
                    rivals.get(trial.category, ()), check,
                )  # fmt: skip
        listener(outcome_event(trial, ledger))


def _run(
    trial: Trial,
    load: Callable[[], Loaded],
    placement: Placement,
    ledger: Ledger,
    listener: Listener,
    donor: str | None,
    rivals: tuple[str, ...],
    check: Callable[[], None],
) -> None:
    """Attempts until the trial is committed or its tries are used up."""
    reporter, failures = _Listening(trial, listener), tuple[str, ...]()
    while kind := attempt(trial, load, placement, ledger, reporter, failures, donor, rivals):
        failures = (*failures, kind)
        failed = attempt_event(trial, ledger)
        if failed is not None:
            listener(failed)
        if kind == STORAGE:
            check()
        if not decide(failures):
            return


class _Inputs:
    """What was loaded last. An error is not kept: the next attempt loads again."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._kept: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def of(self, trial: Trial) -> Loaded:
        """The trial's inputs. One category is held at a time: a plan keeps its trials together."""
        size = trial.method.image.size
        return Loaded(
            self._once(product_or_error, trial.category, size),
            self._once(textures_or_error, size),
            self._once(encoder_or_error),
        )

    def _once(self, load: Callable[..., Any], *arguments: Any) -> Any:
        kept = self._kept.get(load.__name__)
        if kept is not None and kept[0] == arguments:
            return kept[1]
        self._kept.pop(load.__name__, None)
        value = load(self._sources, *arguments)
        if not isinstance(value, NotLoaded):
            self._kept[load.__name__] = (arguments, value)
        return value


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
