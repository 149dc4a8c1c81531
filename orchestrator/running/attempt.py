"""One attempt at a trial: its result or its failure ends in the ledger. Without Ray."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from memseg.data.fingerprints import sha256
from memseg.training.reporting import Reporter
from memseg.training.workers import ALONE, Workers
from orchestrator.ledger.kinds import OUT_OF_MEMORY, WORKER_LOST
from orchestrator.ledger.ledger import CHECKPOINTS, LOSSES, WEIGHTS, Done, Failed, Ledger
from orchestrator.ledger.rungs import judged
from orchestrator.planning.trial import Trial
from orchestrator.running.checkpoints import FolderCheckpoints
from orchestrator.running.failures import failure
from orchestrator.running.inputs import Loaded
from orchestrator.running.placement import Placement
from orchestrator.running.pruning import HalvingGate, Pruning
from orchestrator.running.retries import kind_of
from orchestrator.running.starting import load_start
from orchestrator.running.trial_run import MakesGate, Stopped, Trained, run_trial


def attempt(
    trial: Trial,
    load: Callable[[], Loaded],
    placement: Placement,
    ledger: Ledger,
    reporter: Reporter,
    earlier: tuple[str, ...] = (),
    donor: str | None = None,
    rivals: tuple[str, ...] = (),
    workers: Workers = ALONE,
) -> str | None:
    """Runs the trial once; returns None when it is committed or pruned, else the failure's kind.

    ``earlier``: the kinds of this sweep's failed attempts at the trial, oldest first.
    ``donor``: key of a finished trial with the same training (``Ledger.trained``): its weights
    are evaluated on this trial's test images, nothing is trained. ``rivals``: keys of its
    category's trials, that it is judged among where it may be stopped early. Of several
    ``workers`` each calls this, the leader commits. Raises StorageError where not even the
    failure can be recorded, and whatever one of several workers meets: then the others, which wait
    for it (gloo for half an hour), are ended.
    """
    if OUT_OF_MEMORY in earlier:
        placement = replace(placement, evaluation_batch=1)
    try:
        folder = ledger.trial_folder(trial.category, trial.key)
        trained = _trained(ledger, trial, donor, reporter)
        result = run_trial(
            trial,
            load().inputs(trial.inputs, trial.category),
            placement,
            folder,
            FolderCheckpoints(folder.sub(CHECKPOINTS)),
            reporter,
            trained,
            _gate(trial, placement, ledger, rivals),
            workers,
            load_start(ledger.workspace, trial) if trained is None else None,
        )
        if isinstance(result, Stopped):
            _prune(ledger, trial, result.step)
        elif result is not None:
            ledger.commit(result)
    except Exception as error:
        kind = kind_of(error)
        told = isinstance(ledger.record(trial.category, trial.key), Failed)
        if told and (kind == WORKER_LOST or not workers.leads):
            return kind  # the worker that failed first has said why
        ledger.fail(failure(trial, kind, error, len(earlier) + 1))
        if workers.count > 1:
            raise
        return kind
    return None


def _gate(
    trial: Trial, placement: Placement, ledger: Ledger, rivals: tuple[str, ...]
) -> MakesGate | None:
    if placement.halving is None:
        return None
    pruning = Pruning(placement.halving, rivals)
    return functools.partial(HalvingGate, ledger, trial, pruning)


def _prune(ledger: Ledger, trial: Trial, step: int) -> None:
    decided = judged(ledger, trial.category, trial.key, step)
    about = {} if decided is None else {"score": decided.score, "among": decided.among}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    ledger.prune({"category": trial.category, "key": trial.key, "step": step, **about, "at": at})


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
    losses = folder.read(LOSSES) if folder.exists(LOSSES) else None
    return Trained(record.result, weights, losses)
