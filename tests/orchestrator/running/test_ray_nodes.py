"""Asking each node of a cluster: what is made of its answers. No Ray is started."""

from __future__ import annotations

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

from memseg.errors import StorageDownError, StorageError
from orchestrator.running.ray_nodes import ask_each


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
