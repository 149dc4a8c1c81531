"""One Ray Train run as its driver sees it. No Ray is started: the run itself is made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import ray
import ray.tune
from ray.exceptions import LocalRayletDiedError, RayActorError, WorkerCrashedError

from memseg.config import MethodConfig
from memseg.errors import StorageError
from memseg.storage import open_folder
from orchestrator.ledger.ledger import Failed, Ledger
from orchestrator.planning.halving import Halving
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.running import ray_driver
from orchestrator.running.checkpoints import FolderCheckpoints
from orchestrator.running.placement import Placement
from orchestrator.running.ray_inputs import InputLoader
from orchestrator.running.ray_worker import loaded
from orchestrator.running.retries import kind_of
from tests.memseg.blocked import run_without


class Dies:
    """A Ray Train run whose worker is killed."""

    def fit(self) -> None:
        raise RayActorError


@pytest.mark.parametrize("halving", [False, True])
def test_a_pruned_trial_that_goes_on_and_loses_its_worker_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, halving: bool
) -> None:
    ledger = Ledger(open_folder(tmp_path))
    trial = Trial("part", 0, MethodConfig(), Inputs("a", "b", "c", "d"))
    ledger.prune({"category": "part", "key": trial.key, "step": 300, "at": "now"})
    placement = Placement(halving=Halving(3, 2) if halving else None)
    setup: Any = type("Setup", (), {"placement": placement, "loader": mock.MagicMock()})
    monkeypatch.setattr(ray, "get", lambda reference: ({}, 3))
    monkeypatch.setattr(ray_driver, "_trainer", lambda *_: Dies())
    inputs = ray_driver._Inputs(trial, setup)
    kind = ray_driver._fit_once(trial, setup, ledger, (), inputs)
    failed = isinstance(ledger.record("part", trial.key), Failed)
    assert (kind, failed) == ((None, False) if halving else ("worker_lost", True))


@pytest.mark.parametrize(
    ("failed", "failed_with"),
    [
        ("storage", 3),
        ("node_lost", 3),
        ("preempted", 0),
        ("worker_lost", 0),
        ("no_place", 0),
        ("blind_node", 0),
    ],
)
def test_inputs_are_loaded_anew_only_after_a_failure_that_may_be_theirs(
    monkeypatch: pytest.MonkeyPatch, failed: str, failed_with: int
) -> None:
    loader = mock.MagicMock()
    setup: Any = type("Setup", (), {"loader": loader})
    monkeypatch.setattr(ray, "get", lambda reference: ({"product": 1}, 3))
    inputs = ray_driver._Inputs(Trial("part", 0, MethodConfig(), Inputs("a", "b", "c", "d")), setup)
    assert inputs.references(()) == {"product": 1}
    inputs.references(("storage", failed))
    asked = [call.args for call in loader.references.remote.call_args_list]
    assert asked == [("part", 256, 0), ("part", 256, failed_with)]


@pytest.mark.parametrize("died", [WorkerCrashedError(), LocalRayletDiedError()])
def test_inputs_whose_loading_was_killed_are_loaded_anew(
    monkeypatch: pytest.MonkeyPatch, died: Exception
) -> None:
    def get(reference: object) -> None:
        raise died

    monkeypatch.setattr(ray, "get", get)
    with pytest.raises(StorageError, match="the textures could not be loaded") as caught:
        loaded(object(), "textures")
    assert kind_of(caught.value) in ray_driver._OF_INPUTS


def test_what_failed_for_many_is_loaded_once_more_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = mock.MagicMock()
    tasks.return_value.return_value.remote.side_effect = range(100)
    monkeypatch.setattr(ray, "remote", tasks)
    loader = InputLoader.__ray_metadata__.modified_class(None)  # type: ignore[attr-defined]
    first, loads = loader.references("part", 64)
    assert first == {"product": 0, "textures": 1, "encoder": 2}
    other, _ = loader.references("nut", 64)
    assert other == {"product": 3, "textures": 1, "encoder": 2}
    again, newer = loader.references("part", 64, loads)
    assert again == {"product": 4, "textures": 5, "encoder": 6}
    assert loader.references("part", 64, loads) == (again, newer)
    assert loader.references("nut", 64, loads)[0] == {"product": 3, "textures": 5, "encoder": 6}
    # A loader that was started again knows nothing, and loads once for all of these too.
    restarted = InputLoader.__ray_metadata__.modified_class(None)  # type: ignore[attr-defined]
    third, _ = restarted.references("part", 64, newer)
    assert restarted.references("part", 64, newer)[0] == third


def test_drivers_and_controllers_import_no_torch() -> None:
    """Each running trial has one of both on the head: half a GB each, and seconds to start."""
    done = run_without(["torch"], "import orchestrator.running.ray_driver, orchestrator.running"
                       ".ray_worker, orchestrator.running.ray_inputs")  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("workers", "kind"), [(1, "DataParallelTrainer"), (2, "TorchTrainer")])
def test_only_several_workers_have_a_process_group(workers: int, kind: str) -> None:
    assert ray_driver._kind_of_trainer(workers).__name__ == kind


class Loses:
    """A Ray Train run that loses its worker each time, after it wrote the next of ``steps``."""

    def __init__(self, checkpoints: FolderCheckpoints, steps: list[int]) -> None:
        self.checkpoints, self.steps, self.fits = checkpoints, steps, 0

    def fit(self) -> None:
        self.fits += 1
        if self.steps:
            self.checkpoints.save(self.steps.pop(0), b"")
        raise RayActorError


@pytest.mark.parametrize(
    ("steps", "fits"), [([], 6), ([50, 100, 150], 9), ([50, 50, 100], 8), (list(range(1, 31)), 36)]
)
def test_a_worker_that_is_lost_after_it_came_further_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[int], fits: int
) -> None:
    ledger = Ledger(open_folder(tmp_path))
    trial = Trial("part", 0, MethodConfig(), Inputs("a", "b", "c", "d"))
    folder = ledger.trial_folder("part", trial.key)
    run = Loses(FolderCheckpoints(folder.sub("checkpoints")), steps)
    setup: Any = type("Setup", (), {"placement": Placement(), "loader": mock.MagicMock()})
    monkeypatch.setattr(ray, "get", lambda reference: ({}, 3))
    monkeypatch.setattr(ray_driver, "_trainer", lambda *_: run)
    told: list[Any] = []
    monkeypatch.setattr(ray.tune, "report", told.append)
    ray_driver._run(trial, setup, ledger)
    assert run.fits == len(told) == fits
    record = ledger.record("part", trial.key)
    assert isinstance(record, Failed)
    assert record.failure["attempts"] == fits
