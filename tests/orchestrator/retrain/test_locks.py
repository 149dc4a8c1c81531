"""One retraining at a time over a workspace, on each storage."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from memseg.errors import SettingError
from memseg.storage import Folder, open_folder
from orchestrator.retrain import lock
from orchestrator.retrain.lock import LOCK, only_one


@pytest.fixture
def store() -> Folder:
    """A workspace without locks of an operating system."""
    return Folder(pafs._MockFileSystem(), "ws")


class Clock:
    """Stands in the place of ``time``; a sleep may have others do something."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.now, self.meanwhile = 1e9, meanwhile

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()


def test_a_second_one_is_refused_until_the_first_ends(
    workspace: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renewed() -> None:
        assert lock.renew(workspace, json.loads(workspace.read(LOCK))["owner"])

    monkeypatch.setattr(lock, "time", Clock(renewed))
    with only_one(workspace) as held:
        refused = pytest.raises(SettingError, match=r"another orchestrator\.retrain runs over")
        with refused, only_one(workspace):
            pass
        assert held()
    with only_one(workspace):
        pass


def test_on_a_store_one_that_was_killed_a_moment_ago_is_waited_for(
    store: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, said = Clock(), list[str]()
    monkeypatch.setattr(lock, "time", clock)
    assert lock.renew(store, "killed")
    began = clock.now
    with only_one(store, said.append):
        assert began + lock.LAPSES_S <= clock.now < began + lock.LAPSES_S + 2 * lock.POLL_S
    assert len(said) == 1
    assert "or was killed in the last 120 s" in said[0]


def test_on_a_store_one_that_ends_meanwhile_is_not_waited_for_longer(
    store: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(lambda: store.delete(LOCK))
    monkeypatch.setattr(lock, "time", clock)
    assert lock.renew(store, "ends")
    began = clock.now
    with only_one(store):
        assert clock.now == began + lock.POLL_S


def test_a_claim_that_lapsed_and_is_anothers_is_not_taken_back(
    store: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(lock, "time", clock)
    assert lock.renew(store, "first")
    clock.now += lock.LAPSES_S + 1
    assert lock.renew(store, "second")
    before = store.read(LOCK)
    assert not lock.renew(store, "first")
    assert store.read(LOCK) == before


def test_one_that_could_not_renew_its_claim_and_finds_anothers_is_told(
    store: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "RENEWS_S", 0.01)
    with only_one(store) as held:
        while held():  # again and again: the first may have looked just before
            store.write_json(LOCK, {"owner": "another", "until": 1e12})
            threading.Event().wait(0.01)
    assert json.loads(store.read(LOCK))["owner"] == "another"


def test_an_error_in_the_block_frees_it(workspace: Folder) -> None:
    with pytest.raises(KeyboardInterrupt), only_one(workspace):
        raise KeyboardInterrupt
    with only_one(workspace):
        pass


def test_two_workspaces_do_not_meet(tmp_path: Path) -> None:
    with only_one(open_folder(tmp_path / "a")), only_one(open_folder(tmp_path / "b")):
        pass


@pytest.mark.parametrize("content", [{"owner": "x", "until": 1.0}, [], {"until": "soon"}])
def test_a_lapsed_or_damaged_claim_holds_nobody(workspace: Folder, content: object) -> None:
    workspace.write(LOCK, json.dumps(content).encode())
    with only_one(workspace):
        pass
