"""What a sweep on Ray does after a failed attempt. No Ray is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from memseg.config import MethodConfig
from memseg.errors import StorageDownError, StorageError
from memseg.storage import open_folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.running import events
from orchestrator.running.events import Event
from orchestrator.running.failures import failure
from orchestrator.running.ray_callback import EndsWithStorage, ListenerCallback

TRIAL = Trial("part", 0, MethodConfig(), Inputs("a", "b", "c", "d"))


def after(
    tmp_path: Path, kind: str, check: Callable[[], None]
) -> tuple[ListenerCallback, list[Event]]:
    """The callback, and what was told, after a first attempt that failed with ``kind``."""
    ledger, told = Ledger(open_folder(tmp_path)), list[Event]()
    ledger.fail(failure(TRIAL, kind, "a reason", 1))
    callback = ListenerCallback({TRIAL.key: TRIAL}, ledger, told.append, mock.Mock(), check)
    trial: Any = SimpleNamespace(config={"key": TRIAL.key})
    callback.on_trial_result(0, [], trial, {"failed_attempt": 1})
    return callback, told


def raises(error: Exception) -> Callable[[], None]:
    def check() -> None:
        raise error

    return check


@pytest.mark.parametrize("kind", ["storage", "blind_node"])
def test_a_storage_that_is_gone_ends_the_sweep_at_the_first_failure_which_is_told(
    tmp_path: Path, kind: str
) -> None:
    down = StorageDownError("the disk is full")
    callback, told = after(tmp_path, kind, raises(down))
    assert callback.down is down
    assert EndsWithStorage(callback).stop_all()
    assert [event.kind for event in told] == [events.ATTEMPT_FAILED]


def test_a_check_that_cannot_tell_is_a_note(tmp_path: Path) -> None:
    callback, told = after(tmp_path, "storage", raises(StorageError("no right to write")))
    assert callback.down is None
    assert [event.kind for event in told] == [events.ATTEMPT_FAILED, events.NOTE]


def test_other_failures_ask_no_storage(tmp_path: Path) -> None:
    callback, told = after(tmp_path, "worker_lost", raises(AssertionError("asked")))
    assert callback.down is None
    assert [event.kind for event in told] == [events.ATTEMPT_FAILED]
