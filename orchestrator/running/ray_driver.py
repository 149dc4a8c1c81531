"""The Tune trainable: a thin driver that takes no CPU and starts Ray Train for one trial."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# On a shared or autoscaled cluster a place may be long in coming. Ray Train reads this in the
# process that starts it, and would call a minute's wait a failure.
os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "3600")

import ray
import ray.tune
from ray.exceptions import RayError
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer
from ray.train.v2.api.exceptions import TrainingFailedError
from ray.tune.integration.ray_train import TuneReportCallback

from memseg.storage import Folder
from orchestrator.ledger import kinds
from orchestrator.ledger.claims import Claims
from orchestrator.ledger.ledger import CHECKPOINTS, Done, Failed, Ledger, Pruned
from orchestrator.planning.trial import Trial, from_json
from orchestrator.running import retries
from orchestrator.running.checkpoints import FolderCheckpoints
from orchestrator.running.failures import failure
from orchestrator.running.placement import Placement
from orchestrator.running.pruning import Rivals
from orchestrator.running.ray_failures import kind_of_ray, message_of_ray
from orchestrator.running.ray_worker import train_worker
from orchestrator.running.turns import in_turn

_OF_INPUTS = frozenset({kinds.STORAGE, kinds.NODE_LOST})
"""Failures after which what was loaded may be wrong or gone."""


@dataclass(frozen=True)
class DriverSetup:
    """What all drivers of a sweep share; goes to them through the object store."""

    workspace: Folder
    placement: Placement
    loader: Any
    """Handle of the InputLoader."""
    run: str
    """Owner of the claims."""
    marker: str | None
    """Of ``seen_by_all_nodes``."""
    rivals: Rivals
    workers: int
    """Of one trial."""
    cpus: int
    """CPUs of a worker."""
    gpus: float
    memory: int
    """Bytes set aside for a worker on its node; 0: none."""
    trials: Mapping[str, Mapping[str, Any]]
    """Trial key to ``Trial.to_json``."""
    donors: Mapping[str, str]
    """Of ``Ledger.trained``."""


def drive(config: Mapping[str, Any], setup: DriverSetup) -> None:
    """Runs one trial until it is committed or its retries are used up (retries.decide)."""
    trial = from_json(setup.trials[config["key"]])
    ledger = Ledger(setup.workspace)
    claims = Claims(ledger, setup.run)
    # One trial: it is waited for, or finished by another sweep (or this one, before its driver
    # was started again).
    for _, ours in in_turn([trial], claims, ledger, _note):
        if ours:
            with claims.kept(trial.category, trial.key):
                _run(trial, setup, ledger)


def _note(trial: Trial, text: str) -> None:
    ray.tune.report({"note": text})


def _run(trial: Trial, setup: DriverSetup, ledger: Ledger) -> None:
    failures: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    inputs = _Inputs(trial, setup)
    checkpoints = FolderCheckpoints(ledger.trial_folder(trial.category, trial.key).sub(CHECKPOINTS))
    while True:
        before = checkpoints.newest_step()
        kind = _fit_once(trial, setup, ledger, failures, inputs)
        if kind is None:
            return
        failures = (*failures, kind)
        # Of most nodes that go without a word Ray only says that a worker was lost. What comes
        # further each time does not lose it by itself, and comes to its end.
        if kind != kinds.WORKER_LOST or checkpoints.newest_step() <= before:
            counted = (*counted, kind)
        # Not known to the driver is the step: the worker said it, and says it again.
        ray.tune.report({"failed_attempt": len(failures)})
        if not retries.decide(counted):
            return


class _Inputs:
    """References to a trial's inputs, from the loader that all trials share."""

    def __init__(self, trial: Trial, setup: DriverSetup) -> None:
        self._wanted = (trial.category, trial.method.image.size)
        self._loader, self._loads = setup.loader, 0

    def references(self, after: tuple[str, ...]) -> Mapping[str, Any]:
        """``after``: kinds of the earlier failures. Only some are the inputs' own.

        Where many nodes go at once, each trial would else load everything again.
        """
        failed_with = self._loads if after and after[-1] in _OF_INPUTS else 0
        task = self._loader.references.remote(*self._wanted, failed_with)
        references, self._loads = ray.get(task)
        return references  # type: ignore[no-any-return]


def _fit_once(
    trial: Trial, setup: DriverSetup, ledger: Ledger, earlier: tuple[str, ...], inputs: _Inputs
) -> str | None:
    """One Ray Train run; None when the trial is committed, else the failure's kind."""
    ledger.clear_failure(trial.category, trial.key)
    kind, text = kinds.WORKER_LOST, "its worker process ended without a result: no reason given"
    try:
        _trainer(trial, setup, earlier, inputs.references(earlier)).fit()
    except (TrainingFailedError, RayError) as error:
        kind, text = kind_of_ray(error), f"Ray ended it: {message_of_ray(error)}"
    record = ledger.record(trial.category, trial.key)
    # Without halving nothing is pruned now: an earlier sweep pruned it, and it goes on.
    halving = setup.placement.halving is not None
    if isinstance(record, Done) or (halving and isinstance(record, Pruned)):
        return None
    if isinstance(record, Failed):
        return str(record.failure["kind"])
    ledger.fail(failure(trial, kind, text, len(earlier) + 1))
    return kind


def _trainer(
    trial: Trial, setup: DriverSetup, earlier: tuple[str, ...], references: Mapping[str, Any]
) -> DataParallelTrainer:
    resources: dict[str, float] = {"CPU": setup.cpus}
    if setup.gpus > 0:
        resources["GPU"] = setup.gpus
    if setup.memory > 0:
        resources["memory"] = setup.memory
    return _kind_of_trainer(setup.workers)(
        train_worker,
        train_loop_config={
            "references": references,
            "trial": trial.to_json(),
            "workspace": setup.workspace,
            "marker": setup.marker,
            "placement": setup.placement,
            "earlier": earlier,
            "donor": setup.donors.get(trial.key),
            "rivals": setup.rivals.get(trial.category, ()),
        },
        scaling_config=ScalingConfig(
            num_workers=setup.workers, use_gpu=setup.gpus > 0, resources_per_worker=resources
        ),
        run_config=RunConfig(
            # Ray Train resumes by (storage_path, name): the name holds content, no time.
            name=trial.name,
            storage_path=setup.workspace.sub("ray/train").location,
            # Retries are decided here, by kind; Train would repeat every error alike, and
            # preemptions for ever.
            failure_config=FailureConfig(
                max_failures=0, controller_failure_limit=2, max_preemption_failures=0
            ),
            callbacks=[TuneReportCallback()],
        ),
    )


def _kind_of_trainer(workers: int) -> Any:
    """A class. TorchTrainer makes the process group of several workers; a single one needs none.

    It makes its driver and its controller import torch: half a GB each on the head, for every
    trial that runs, and seconds before the first step.
    """
    if workers == 1:
        return DataParallelTrainer
    from ray.train.torch import TorchTrainer

    return TorchTrainer
