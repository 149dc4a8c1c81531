"""Asking each node of a cluster: what is made of its answers. No Ray is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import ray
from ray.exceptions import (
    GetTimeoutError,
    NodeDiedError,
    RayTaskError,
    TaskUnschedulableError,
    WorkerCrashedError,
)

from memseg.errors import BlindNodeError, StorageDownError, StorageError
from memseg.storage import open_folder
from orchestrator.running import ray_nodes
from orchestrator.running.ray_nodes import ask_each, check_seen, seen_by_all_nodes
from orchestrator.running.ray_worker import train_worker


def asked(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> list[Any]:
    left = list(answers)

    def get(reference: object, timeout: float) -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(ray, "get", get)
    return ask_each(["a" * 56] * len(answers), mock.MagicMock())


def test_each_node_has_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, 1, [], None) == [1, [], None]


@pytest.mark.parametrize("gone", [NodeDiedError("x"), TaskUnschedulableError("x")])
def test_a_node_that_goes_away_meanwhile_has_none(
    monkeypatch: pytest.MonkeyPatch, gone: Exception
) -> None:
    assert asked(monkeypatch, 1, gone, 3) == [1, 3]


@pytest.mark.parametrize("error", [GetTimeoutError("10.0.0.7 is slow"), WorkerCrashedError()])
def test_a_node_that_does_not_answer_is_said_without_a_stack_trace(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with pytest.raises(StorageError, match="failed or did not answer") as caught:
        asked(monkeypatch, 1, error)
    assert "10.0.0.7" not in str(caught.value)


def test_what_the_function_raised_is_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RayTaskError("sees", "a trace", StorageDownError("the workspace is gone"))
    with pytest.raises(StorageDownError, match=r"^the workspace is gone$"):
        asked(monkeypatch, error.as_instanceof_cause())


def nodes(monkeypatch: pytest.MonkeyPatch, *sees: bool) -> None:
    alive = [{"NodeID": str(n), "Alive": True} for n in range(len(sees))]
    monkeypatch.setattr(ray, "nodes", lambda: [*alive, {"NodeID": "gone", "Alive": False}])
    monkeypatch.setattr(ray_nodes, "ask_each", lambda *_: list(sees))


def test_the_marker_is_there_while_the_sweep_runs_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes(monkeypatch, True, True)
    workspace, waited = open_folder(tmp_path), list[float]()
    with seen_by_all_nodes(workspace, "run-1") as marker:
        check_seen(workspace, marker)
        monkeypatch.setattr(ray_nodes.time, "sleep", waited.append)
        with pytest.raises(BlindNodeError, match="does not see the workspace"):
            check_seen(open_folder(tmp_path / "of-this-node-alone"), marker)
    assert sum(waited) == 600
    assert not workspace.files(recursive=True)


def test_a_node_that_mounts_the_workspace_a_little_later_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, waited = open_folder(tmp_path / "mount" / "ws"), list[float]()

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            workspace.write("ray/seen-run-1", b"")

    monkeypatch.setattr(ray_nodes.time, "sleep", sleep)
    check_seen(workspace, "ray/seen-run-1")
    assert len(waited) == 3


def test_a_node_that_is_blind_at_the_start_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes(monkeypatch, True, False, False)
    blind = pytest.raises(StorageError, match="2 of 3 nodes do not see")
    with blind, seen_by_all_nodes(open_folder(tmp_path), "run-1"):
        raise AssertionError("it was begun")
    assert not list(tmp_path.rglob("*seen*"))


def test_a_worker_on_a_blind_node_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_nodes.time, "sleep", lambda _: None)
    config = {"workspace": open_folder(tmp_path / "ws"), "marker": "ray/seen-run-1"}
    with pytest.raises(BlindNodeError, match="does not see the workspace"):
        train_worker(config)
    assert not list(tmp_path.iterdir())
