"""What the ledger says became of a trial, as the last event of it."""

from __future__ import annotations

from orchestrator.ledger.ledger import Done, Failed, Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running import events
from orchestrator.running.events import Event


def outcome_event(trial: Trial, ledger: Ledger) -> Event:
    """Done with its metrics, or failed with its message."""
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
        text = f"{record.failure['kind']}: {record.failure['message']}"
        return Event(events.FAILED, trial.category, trial.key, text=text)
    return Event(events.FAILED, trial.category, trial.key, text="interrupted: no result")
