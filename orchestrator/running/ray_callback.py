"""Tune's callbacks as events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ray.tune.progress_reporter import TrialProgressCallback

from memseg.errors import MemSegError, StorageDownError
from orchestrator.ledger.kinds import STORAGE
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running import events
from orchestrator.running.events import Event, Listener
from orchestrator.running.outcome import attempt_event, outcome_event

_SHOWN = ("loss", "l1", "focal", "step_seconds")


class ListenerCallback(TrialProgressCallback):  # type: ignore[misc]
    """Tells a Listener what Tune's trials do; how they ended is read from the ledger.

    It stands in the place of Tune's own printer, which writes into a live table.
    """

    def __init__(
        self, by_key: Mapping[str, Trial], ledger: Ledger, listener: Listener, loader: Any
    ) -> None:
        self._by_key, self._ledger, self._listener = by_key, ledger, listener
        self._loader = loader
        self._left = Counter(trial.category for trial in by_key.values())

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles its callbacks for Tuner.restore, which is never used here: the ledger is
        # what a sweep resumes from. A terminal cannot be pickled.
        return {}

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A driver starts (again)."""
        ours = self._of(trial)
        self._listener(Event(events.STARTED, ours.category, ours.key))

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Mapping[str, Any], **info: Any
    ) -> None:
        """A worker reported through Ray Train."""
        ours, step = self._of(trial), int(result.get("step", 0))
        if "failed_attempt" in result:
            failed = attempt_event(ours, self._ledger)
            if failed is not None:
                self._listener(failed)
            return
        if "note" in result:
            text = str(result["note"])
            self._listener(Event(events.NOTE, ours.category, ours.key, step, text=text))
            return
        values = {name: float(result[name]) for name in _SHOWN if name in result}
        if values:
            self._listener(Event(events.PROGRESS, ours.category, ours.key, step, values))

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """The driver returned."""
        self._ended(trial)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """The driver died for good."""
        self._ended(trial)

    def _ended(self, trial: Any) -> None:
        ours = self._of(trial)
        try:
            event = outcome_event(ours, self._ledger)
            if event.failure == STORAGE:
                self._ledger.check_writable()
        except StorageDownError:
            raise  # it ends the whole sweep, which is what a workspace that is gone calls for
        except MemSegError as error:  # a record that cannot be read is one trial's
            event = Event(events.FAILED, ours.category, ours.key, text=str(error))
        self._listener(event)
        self._left[ours.category] -= 1
        if not self._left[ours.category]:
            self._loader.forget.remote(ours.category)

    def _of(self, trial: Any) -> Trial:
        return self._by_key[trial.config["key"]]
