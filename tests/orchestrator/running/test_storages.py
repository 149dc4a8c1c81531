"""Whether a sweep's storages are still there, after one of its trials met an error."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from memseg.data.layouts import LayoutConfig
from memseg.errors import StorageDownError
from memseg.storage import open_folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.running.sources import Sources
from orchestrator.running.storages import HOLDS_S, StorageCheck


def sources(tmp_path: Path, textures: str | None = None) -> Sources:
    (tmp_path / "data" / "screw").mkdir(parents=True)
    return Sources(str(tmp_path / "data"), LayoutConfig(), textures, "random")


def test_all_is_well_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "dtd" / "banded").mkdir(parents=True)
    found = sources(tmp_path, str(tmp_path / "dtd"))
    StorageCheck(Ledger(open_folder(tmp_path / "ws")), found)()
    assert not list((tmp_path / "ws").iterdir())


def test_data_that_are_gone_end_the_sweep(tmp_path: Path) -> None:
    found = sources(tmp_path)
    (tmp_path / "data" / "screw").rmdir()  # what is left of a disk that is not mounted
    with pytest.raises(StorageDownError, match=r"data root .*data is gone or empty"):
        StorageCheck(Ledger(open_folder(tmp_path / "ws")), found)()


def test_textures_that_are_gone_end_the_sweep(tmp_path: Path) -> None:
    found = sources(tmp_path, str(tmp_path / "dtd"))
    with pytest.raises(StorageDownError, match=r"folder of textures .*dtd is gone or empty"):
        StorageCheck(Ledger(open_folder(tmp_path / "ws")), found)()


def test_a_data_root_that_cannot_be_read_ends_the_sweep(tmp_path: Path) -> None:
    found = sources(tmp_path)
    (tmp_path / "data").rename(tmp_path / "away")
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(StorageDownError, match=r"data root: .* is a file, a folder is needed"):
        StorageCheck(Ledger(open_folder(tmp_path / "ws")), found)()


def test_a_disk_with_less_room_than_a_trial_writes_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that did not fit has made its room again: 100 MiB are left here."""
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.stat().st_size > 100 << 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(StorageDownError, match="make room"):
        StorageCheck(Ledger(open_folder(tmp_path / "ws")), sources(tmp_path))()


def test_a_workspace_without_the_runs_marker_is_another_one(tmp_path: Path) -> None:
    """Its disk is not mounted any more, and the empty folder below it can be written."""
    ledger, found = Ledger(open_folder(tmp_path / "ws")), sources(tmp_path)
    ledger.workspace.write("ray/seen-run", b"")
    StorageCheck(ledger, found, marker="ray/seen-run")()
    ledger.workspace.delete("ray/seen-run")
    with pytest.raises(StorageDownError, match="another one than at the start"):
        StorageCheck(ledger, found, marker="ray/seen-run")()
    assert not [f for f in ledger.workspace.files() if "writable" in f.path]


def test_an_answer_counts_for_a_while(tmp_path: Path) -> None:
    now, found = [0.0], sources(tmp_path)
    check = StorageCheck(Ledger(open_folder(tmp_path / "ws")), found, lambda: now[0])
    check()
    (tmp_path / "data" / "screw").rmdir()
    now[0] = HOLDS_S - 1
    check()
    now[0] = HOLDS_S
    with pytest.raises(StorageDownError):
        check()
