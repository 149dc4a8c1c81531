"""One attempt at a trial: its result or its failure ends in the ledger. Without Ray."""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from memseg.errors import MemSegError
from memseg.training.reporting import Reporter
from orchestrator.ledger.ledger import WEIGHTS, Done, Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running import retries
from orchestrator.running.checkpoints import FolderCheckpoints
from orchestrator.running.inputs import Loaded
from orchestrator.running.trial_run import Placement, Trained, run_trial


def attempt(
    trial: Trial,
    loaded: Loaded,
    placement: Placement,
    ledger: Ledger,
    reporter: Reporter,
    earlier: tuple[str, ...] = (),
    donor: str | None = None,
) -> str | None:
    """Runs the trial once; returns None when it is committed, else the failure's kind.

    ``earlier``: the kinds of this sweep's failed attempts at the trial, oldest first.
    ``donor``: key of a finished trial with the same training (``Ledger.trained``): its weights
    are evaluated on this trial's test images, nothing is trained.
    """
    folder = ledger.trial_folder(trial.category, trial.key)
    if retries.OUT_OF_MEMORY in earlier:
        placement = replace(placement, evaluation_batch=1)
    try:
        result = run_trial(
            trial,
            loaded.inputs(),
            placement,
            folder,
            FolderCheckpoints(folder.sub("checkpoints")),
            reporter,
            _trained(ledger, trial, donor, reporter),
        )
    except Exception as error:  # noqa: BLE001  every failure is recorded, a bug with its traceback
        kind = retries.kind_of(error)
        ledger.fail(failure(trial, kind, error, len(earlier) + 1))
        return kind
    ledger.commit(result)
    return None


def _trained(ledger: Ledger, trial: Trial, donor: str | None, reporter: Reporter) -> Trained | None:
    if donor is None:
        return None
    record = ledger.record(trial.category, donor)
    folder = ledger.trial_folder(trial.category, donor)
    if not isinstance(record, Done) or not folder.exists(WEIGHTS):
        return None  # dropped in the meantime: then it is trained
    reporter.event(f"trained before as {donor[:8]}, only evaluated")
    return Trained(record.result["seconds"], folder.read(WEIGHTS))


def failure(trial: Trial, kind: str, error: BaseException | str, attempts: int) -> dict[str, Any]:
    """The failure to record; a traceback only where the program, not its input, is at fault."""
    expected = isinstance(error, (MemSegError, str))
    return {
        "key": trial.key,
        "category": trial.category,
        "kind": kind,
        "message": str(error) or type(error).__name__,
        "traceback": None if expected else "".join(traceback.format_exception(error)),  # type: ignore[arg-type]
        "attempts": attempts,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
