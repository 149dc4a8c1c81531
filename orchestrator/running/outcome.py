"""What the ledger says became of a trial, as the last event of it."""

from __future__ import annotations

from orchestrator.ledger.ledger import Done, Failed, Ledger, Pruned
from orchestrator.planning.trial import Trial
from orchestrator.running import events
from orchestrator.running.events import Event

INTERRUPTED = "interrupted"
"""What a trial's failure is called that left nothing in the ledger."""


def outcome_event(trial: Trial, ledger: Ledger) -> Event:
    """Done with its metrics, or failed with its message. Raises StorageError."""
    record = ledger.record(trial.category, trial.key)
    if isinstance(record, Done):
        metrics = {k: v for k, v in record.result["metrics"].items() if v is not None}
        seconds = record.result["seconds"].get("total") or 0.0
        values = {**metrics, "seconds": seconds}
        if record.result["synthetic"]:
            values["synthetic_score"] = record.result["synthetic"]["score"]
        steps = record.result["steps"]
        return Event(events.DONE, trial.category, trial.key, steps, values)
    if isinstance(record, Failed):
        return _failed(events.FAILED, trial, record)
    if isinstance(record, Pruned):
        step = int(record.pruned["step"])
        return Event(events.PRUNED, trial.category, trial.key, step, text=f"stopped at step {step}")
    text = f"{INTERRUPTED}: no result"
    return Event(events.FAILED, trial.category, trial.key, text=text, failure=INTERRUPTED)


def attempt_event(trial: Trial, ledger: Ledger) -> Event | None:
    """What the ledger says of the attempt that has just failed; None where it says nothing."""
    record = ledger.record(trial.category, trial.key)
    return _failed(events.ATTEMPT_FAILED, trial, record) if isinstance(record, Failed) else None


def _failed(kind: str, trial: Trial, record: Failed) -> Event:
    failure, message = str(record.failure["kind"]), str(record.failure["message"])
    attempt = int(record.failure.get("attempts", 1))
    return Event(
        kind, trial.category, trial.key,
        text=f"{failure}: {message}", failure=failure, attempt=attempt,
    )  # fmt: skip
