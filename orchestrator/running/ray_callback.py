"""Tune's callbacks as events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.stopper import Stopper

from memseg.errors import MemSegError, StorageDownError
from orchestrator.ledger.kinds import BLIND_NODE, STORAGE
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running import events
from orchestrator.running.events import Event, Listener
from orchestrator.running.outcome import INTERRUPTED, attempt_event, outcome_event

_OF_STORAGE = (STORAGE, BLIND_NODE, INTERRUPTED)
"""After these it is looked whether the storages are there; the last may not even have said so."""
_SHOWN = ("loss", "l1", "focal", "step_seconds")


class ListenerCallback(TrialProgressCallback):  # type: ignore[misc]
    """Tells a Listener what Tune's trials do; how they ended is read from the ledger.

    It stands in the place of Tune's own printer, which writes into a live table. Nothing is raised
    through Tune, which makes a TuneError of any error, or starts the driver again for it.
    """

    down: StorageDownError | None = None
    """What ends the whole sweep: a workspace that is gone or full, data that are gone."""

    def __init__(
        self,
        by_key: Mapping[str, Trial],
        ledger: Ledger,
        listener: Listener,
        loader: Any,
        check: Callable[[], None],
    ) -> None:
        """``check``: raises StorageDownError where a storage is gone or full."""
        self._by_key, self._ledger, self._listener = by_key, ledger, listener
        self._loader, self._check = loader, check
        self._left = Counter(trial.category for trial in by_key.values())

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles its callbacks for Tuner.restore, which is never used here: the ledger is
        # what a sweep resumes from. A terminal cannot be pickled.
        return {}

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A driver starts (again)."""
        ours = self._of(trial)
        self._tell(Event(events.STARTED, ours.category, ours.key))

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Mapping[str, Any], **info: Any
    ) -> None:
        """A worker reported through Ray Train."""
        ours, step = self._of(trial), int(result.get("step", 0))
        if "failed_attempt" in result:
            self._attempt_failed(ours)
            return
        if "note" in result:
            text = str(result["note"])
            self._tell(Event(events.NOTE, ours.category, ours.key, step, text=text))
            return
        values = {name: float(result[name]) for name in _SHOWN if name in result}
        if values:
            self._tell(Event(events.PROGRESS, ours.category, ours.key, step, values))

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """The driver returned."""
        self._ended(trial)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """The driver died for good."""
        self._ended(trial)

    def _ended(self, trial: Any) -> None:
        if self.down is not None:
            return
        ours = self._of(trial)
        try:
            event = outcome_event(ours, self._ledger)
            if event.failure in _OF_STORAGE:
                self._check()
        except StorageDownError as error:
            self.down = error
            return
        except MemSegError as error:  # a record that cannot be read is one trial's
            event = Event(events.FAILED, ours.category, ours.key, text=str(error))
        self._tell(event)
        self._left[ours.category] -= 1
        if not self._left[ours.category]:
            self._loader.forget.remote(ours.category)

    def _attempt_failed(self, ours: Trial) -> None:
        try:
            failed = attempt_event(ours, self._ledger)
        except StorageDownError as error:
            self.down = self.down or error
            return
        except MemSegError as error:
            failed = Event(events.NOTE, ours.category, ours.key, text=str(error))
        if failed is None:
            return
        self._tell(failed)
        if failed.failure in _OF_STORAGE:
            try:
                self._check()
            except StorageDownError as error:
                self.down = self.down or error
            except MemSegError as error:
                self._tell(Event(events.NOTE, ours.category, ours.key, text=str(error)))

    def _tell(self, event: Event) -> None:
        try:
            self._listener(event)
        except StorageDownError as error:  # of the log of events
            self.down = self.down or error

    def _of(self, trial: Any) -> Trial:
        return self._by_key[trial.config["key"]]


class EndsWithStorage(Stopper):  # type: ignore[misc]
    """Tells Tune to end all trials, and to start none, once a storage is gone or full."""

    def __init__(self, callback: ListenerCallback) -> None:
        self._callback = callback

    def __call__(self, trial_id: str, result: Mapping[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._callback.down is not None
