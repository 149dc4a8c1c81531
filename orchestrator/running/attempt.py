"""One attempt at a trial: its result or its failure ends in the ledger. Without Ray."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from memseg.data.fingerprints import sha256
from memseg.training.reporting import Reporter
from orchestrator.ledger.kinds import OUT_OF_MEMORY
from orchestrator.ledger.ledger import CHECKPOINTS, WEIGHTS, Done, Ledger
from orchestrator.planning.trial import Trial
from orchestrator.running.checkpoints import FolderCheckpoints
from orchestrator.running.failures import failure
from orchestrator.running.inputs import Loaded
from orchestrator.running.placement import Placement
from orchestrator.running.retries import kind_of
from orchestrator.running.trial_run import Trained, run_trial


def attempt(
    trial: Trial,
    load: Callable[[], Loaded],
    placement: Placement,
    ledger: Ledger,
    reporter: Reporter,
    earlier: tuple[str, ...] = (),
    donor: str | None = None,
) -> str | None:
    """Runs the trial once; returns None when it is committed, else the failure's kind.

    ``earlier``: the kinds of this sweep's failed attempts at the trial, oldest first.
    ``donor``: key of a finished trial with the same training (``Ledger.trained``): its weights
    are evaluated on this trial's test images, nothing is trained. Raises StorageError only
    where not even the failure can be recorded.
    """
    if OUT_OF_MEMORY in earlier:
        placement = replace(placement, evaluation_batch=1)
    try:
        folder = ledger.trial_folder(trial.category, trial.key)
        result = run_trial(
            trial,
            load().inputs(),
            placement,
            folder,
            FolderCheckpoints(folder.sub(CHECKPOINTS)),
            reporter,
            _trained(ledger, trial, donor, reporter),
        )
        ledger.commit(result)
    except Exception as error:  # noqa: BLE001  every failure is recorded, a bug with its traceback
        kind = kind_of(error)
        ledger.fail(failure(trial, kind, error, len(earlier) + 1))
        return kind
    return None


def _trained(ledger: Ledger, trial: Trial, donor: str | None, reporter: Reporter) -> Trained | None:
    """The donor's weights, None where it is better to train: they are gone or were changed."""
    if donor is None:
        return None
    record = ledger.record(trial.category, donor)
    folder = ledger.trial_folder(trial.category, donor)
    if not isinstance(record, Done) or not folder.exists(WEIGHTS):
        return None
    weights = folder.read(WEIGHTS)
    if sha256(weights) != record.result["weights_sha256"]:
        reporter.event(f"the weights of {donor[:8]} were changed: trained again")
        return None
    reporter.event(f"trained before as {donor[:8]}, only evaluated")
    return Trained(record.result, weights)
