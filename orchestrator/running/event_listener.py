"""A Listener that keeps events in the sweep's log before another Listener hears them."""

from __future__ import annotations

from memseg.errors import MemSegError
from orchestrator.ledger.event_log import EventLog
from orchestrator.running import events
from orchestrator.running.events import Event, Listener

_FAILURES = frozenset({events.ATTEMPT_FAILED, events.FAILED})
"""Put into the log at once: the ledger does not keep each of them."""


def logged(log: EventLog, listener: Listener) -> Listener:
    """``listener``, with each event but progress in ``log``.

    The log holds the last step that was seen of a trial with its failure. Raises
    StorageDownError where the log's storage is gone: then so is the workspace.
    """
    steps: dict[str, int] = {}

    def listen(event: Event) -> None:
        if event.kind == events.PROGRESS:
            steps[event.key] = event.step
        else:
            _write(log, event, steps.get(event.key))
        listener(event)

    return listen


def _write(log: EventLog, event: Event, step: int | None) -> None:
    of_failure = event.kind in _FAILURES
    message = event.text.removeprefix(f"{event.failure}: ")
    log.write(
        event.kind,
        urgent=of_failure,
        category=event.category,
        trial=event.key,
        failure=event.failure,
        attempt=event.attempt or None,
        step=step if of_failure else None,
        message=message,
        values=dict(event.values),
    )


def ended(log: EventLog, error: BaseException | None) -> None:
    """The last event of a run: how it ended. Never raises: its storage may be why it ended."""
    how = "finished"
    if isinstance(error, KeyboardInterrupt):
        how = "interrupted"
    elif error is not None:
        how = "stopped"
    try:
        log.write("sweep_ended", urgent=True, how=how, message=str(error) if error else None)
        log.flush()
    except MemSegError:
        return
