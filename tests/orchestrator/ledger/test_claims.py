"""Claims: two sweeps over one workspace share the work, and nothing depends on it."""

from __future__ import annotations

import errno
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from memseg.errors import StorageDownError
from memseg.storage import Folder, open_folder
from orchestrator.ledger import claims as room
from orchestrator.ledger.claims import CLAIM, LAPSES_S, Claim, Claims, is_free
from orchestrator.ledger.ledger import Ledger

PLACE = ("screw", "0123456789ab")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(open_folder(tmp_path))


@pytest.mark.parametrize(
    ("found", "free"),
    [
        (None, True),
        (Claim("me", 2000.0), True),
        (Claim("other", 1000.5), False),
        (Claim("other", 1000.0), True),
    ],
)
def test_a_trial_is_free_without_a_claim_with_the_own_and_with_a_lapsed_one(
    found: Claim | None, free: bool
) -> None:
    assert is_free(found, "me", 1000.0) is free


def test_one_of_two_sweeps_has_a_trial_until_it_releases_it(ledger: Ledger, clock: Clock) -> None:
    one, two = Claims(ledger, "one", clock), Claims(ledger, "two", clock)
    assert one.take(*PLACE)
    assert one.take(*PLACE)  # a driver that was started again
    assert not two.take(*PLACE)
    two.release(*PLACE)  # not its own
    assert not two.take(*PLACE)
    one.release(*PLACE)
    assert two.take(*PLACE)
    assert not one.take(*PLACE)


def test_what_a_killed_sweep_held_is_free_after_a_while(ledger: Ledger, clock: Clock) -> None:
    one, two = Claims(ledger, "one", clock), Claims(ledger, "two", clock)
    assert one.take(*PLACE)
    clock.now += LAPSES_S - 1
    assert not two.take(*PLACE)
    clock.now += 1
    assert two.take(*PLACE)
    one.release(*PLACE)
    assert not one.take(*PLACE)


def test_of_many_that_take_a_free_trial_at_once_one_has_it(ledger: Ledger) -> None:
    start = threading.Barrier(8)

    def take(number: int) -> bool:
        start.wait()
        return Claims(ledger, str(number)).take(*PLACE)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


def test_a_claim_is_renewed_while_it_is_kept(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LAPSES_S", 0.03)
    one = Claims(ledger, "one", clock)
    assert one.take(*PLACE)
    folder, written = ledger.trial_folder(*PLACE), threading.Event()
    real = Folder.write

    def write(self: Folder, name: str, data: bytes) -> None:
        real(self, name, data)
        if json.loads(data)["until"] > 1500:
            written.set()

    monkeypatch.setattr(Folder, "write", write)
    with one.kept(*PLACE):
        clock.now = 2000.0
        assert written.wait(10)
    assert not folder.exists(CLAIM)


def test_a_claim_that_is_just_being_made_is_somebodys(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    folder = ledger.trial_folder(*PLACE)
    folder.write(CLAIM, b"")
    made = {info.path: info.mtime_ns / 1e9 for info in folder.files()}[CLAIM]
    clock.now = made + 1
    assert not Claims(ledger, "one", clock).take(*PLACE)
    clock.now = made + LAPSES_S
    assert Claims(ledger, "one", clock).take(*PLACE)


def test_an_object_store_has_no_claims(clock: Clock) -> None:
    ledger = Ledger(Folder(pafs._MockFileSystem(), "ws"))
    one, two = Claims(ledger, "one", clock), Claims(ledger, "two", clock)
    assert one.take(*PLACE)
    assert two.take(*PLACE)
    with one.kept(*PLACE):
        pass
    assert not ledger.trial_folder(*PLACE).exists()


def test_a_full_disk_is_the_storages_failure_and_leaves_no_claim(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, mode: str) -> object:
        os.close(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", full)
        with pytest.raises(StorageDownError, match=r"claim\.json.*make room"):
            Claims(ledger, "me", clock).take(*PLACE)
    assert Claims(ledger, "other", clock).take(*PLACE)


def test_a_sweep_that_was_away_renews_no_claim_that_another_took_over(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LAPSES_S", 0.003)
    one = Claims(ledger, "one")
    assert one.take(*PLACE)
    folder = ledger.trial_folder(*PLACE)
    theirs = json.dumps({"owner": "two", "until": 9e9}).encode()
    folder.write(CLAIM, theirs)
    thread = threading.Thread(target=one._renew, args=(folder, threading.Event()), daemon=True)
    thread.start()
    thread.join(60)  # it ends by itself, because the claim is not its own
    assert not thread.is_alive()
    assert folder.read(CLAIM) == theirs


def test_of_two_that_take_a_lapsed_claim_at_once_the_last_has_it(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ledger.trial_folder(*PLACE)
    folder.write(CLAIM, json.dumps({"owner": "gone", "until": 0.0}).encode())
    real = Folder.write

    def beaten(self: Folder, relative: str, data: bytes) -> None:
        real(self, relative, data)
        real(self, relative, json.dumps({"owner": "two", "until": 9e9}).encode())

    monkeypatch.setattr(Folder, "write", beaten)
    assert not Claims(ledger, "one", clock).take(*PLACE)
