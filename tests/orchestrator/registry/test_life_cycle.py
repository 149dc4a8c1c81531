"""Aliases and their history: the contract, on each storage."""

from __future__ import annotations

import itertools
import json
import pickle
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import memseg.storage
from memseg.errors import RegistryError, StorageDownError
from memseg.storage import Folder, open_folder
from memseg.versions.aliases import Aliases
from orchestrator.registry import changing
from orchestrator.registry.decisions import OutdatedError
from orchestrator.registry.history import read_history
from orchestrator.registry.registry import Registry
from orchestrator.registry.verify import verify
from tests.orchestrator.registry.conftest import killed_after

Files = Callable[..., dict[str, bytes]]
A, B, C, D = "aaaa0001", "bbbb0002", "cccc0003", "dddd0004"


class Clock:
    """A second later each time."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def filled(workspace: Folder, files_of: Files, keys: tuple[str, ...] = (A, B, C)) -> Registry:
    registry = Registry(workspace.sub("registry"), Clock())
    for key in keys:
        registry.publish("screw", key, files_of(key))
    return registry


@pytest.fixture
def registry(workspace: Folder, files_of: Files) -> Registry:
    return filled(workspace, files_of)


@pytest.fixture
def quick(quick_workspace: Folder, files_of: Files) -> Registry:
    return filled(quick_workspace, files_of)


@pytest.fixture
def local(tmp_path: Path, files_of: Files) -> Registry:
    return filled(open_folder(tmp_path), files_of)


def champions_after(registry: Registry) -> list[str | None]:
    return [change.after.champion for change in registry.history("screw")]


def test_promotions_rollbacks_and_challenges_are_kept_in_history(registry: Registry) -> None:
    registry.promote("screw", B, "better", {"image_ap": 0.9})
    registry.challenge("screw", C, "new images")
    registry.promote("screw", C, "won")
    registry.rollback("screw", "false alarms")
    assert registry.aliases("screw").champion == B
    history = registry.history("screw")
    assert [c.action for c in history] == ["first", "promote", "challenge", "promote", "rollback"]
    assert champions_after(registry) == [A, B, B, C, B]
    assert [c.after.challenger for c in history] == [None, None, C, None, None]
    promoted = history[1]
    assert promoted.reason == "better"
    assert promoted.evidence == {"image_ap": 0.9}
    assert list(promoted.figures) == [A, B]
    figures = promoted.figures[A]
    assert figures is not None
    assert figures["image_auroc"] == 0.975
    assert figures["synthetic_score"] == 0.66
    assert list(history[2].figures) == [B, C]
    assert verify(registry) == []


def test_rolling_back_twice_goes_further_back_and_then_no_further(registry: Registry) -> None:
    registry.promote("screw", B, "")
    registry.promote("screw", C, "")
    assert registry.earlier_champion("screw") == B
    registry.rollback("screw", "")
    assert registry.aliases("screw").champion == B
    assert registry.earlier_champion("screw") == A
    registry.rollback("screw", "")
    assert registry.aliases("screw").champion == A
    with pytest.raises(RegistryError, match="no champion before"):
        registry.rollback("screw", "")
    registry.promote("screw", C, "")
    assert registry.earlier_champion("screw") == A
    registry.promote("screw", A, "")
    registry.rollback("screw", "")
    assert registry.aliases("screw").champion == C


def test_what_was_judged_beside_another_champion_changes_nothing(quick: Registry) -> None:
    for change in (quick.promote, quick.challenge):
        with pytest.raises(OutdatedError, match=f"meanwhile {A} was made champion"):
            change("screw", C, "better", {"figures": {}}, beside=B)
    assert quick.aliases("screw").champion == A
    assert len(quick.history("screw")) == 1
    quick.promote("screw", C, "better", {"figures": {}}, beside=A)
    assert quick.champion_id("screw") == C


def test_what_is_so_already_writes_nothing(quick: Registry) -> None:
    assert quick.promote("screw", A, "again") is None
    assert quick.dismiss("screw", "none") is None
    quick.challenge("screw", B, "")
    assert quick.challenge("screw", B, "") is None
    assert len(read_history(quick.folder.sub("screw"))) == 2
    assert quick.dismiss("screw", "lost") is not None
    assert quick.aliases("screw").challenger is None
    with pytest.raises(RegistryError, match="cannot challenge itself"):
        quick.challenge("screw", A, "")


def test_an_old_registry_that_names_only_a_champion_goes_on(quick: Registry) -> None:
    quick.folder.delete_folder("screw/history")
    quick.folder.write("screw/aliases.json", b'{\n "champion": "aaaa0001"\n}\n')
    assert verify(quick) == []
    assert quick.history("screw") == ()
    with pytest.raises(RegistryError, match="no champion before"):
        quick.rollback("screw", "")
    quick.promote("screw", B, "")
    quick.rollback("screw", "")
    assert quick.aliases("screw").champion == A
    assert verify(quick) == []


def test_deleted_aliases_are_made_again_by_a_promotion_and_history_goes_on(
    quick: Registry,
) -> None:
    quick.promote("screw", B, "")
    quick.folder.delete("screw/aliases.json")
    assert "promote one" in str(verify(quick)[0])
    quick.promote("screw", C, "")
    assert champions_after(quick) == [A, B, C]
    quick.rollback("screw", "")
    assert quick.aliases("screw").champion == B
    assert verify(quick) == []


def test_after_deleted_aliases_a_publication_names_no_champion_over_a_persons_head(
    quick: Registry, files_of: Files
) -> None:
    quick.promote("screw", C, "")
    quick.folder.delete("screw/aliases.json")
    assert quick.is_published("screw", A)
    quick.publish("screw", D, files_of(D))
    assert quick.champion_id("screw") is None
    assert "promote one" in str(verify(quick)[0])


def test_with_aliases_of_an_earlier_program_a_killed_promotion_is_never_rolled_back_to(
    quick: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.promote("screw", B, "")
    quick.folder.write("screw/aliases.json", b'{\n "champion": "bbbb0002"\n}\n')
    with killed_after(1, monkeypatch):
        quick.promote("screw", C, "killed between history and aliases")
    assert champions_after(quick) == [A, B]
    quick.rollback("screw", "")
    assert quick.aliases("screw").champion == A


@pytest.mark.parametrize("written", range(2))
def test_a_change_that_is_killed_before_any_write_changes_nothing(
    quick: Registry, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    with killed_after(written, monkeypatch):
        quick.promote("screw", B, "")
    assert quick.aliases("screw").champion == A
    assert champions_after(quick) == [A]
    assert verify(quick) == []
    quick.promote("screw", C, "")
    quick.rollback("screw", "")
    assert quick.aliases("screw").champion == A


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_a_damaged_version_gets_no_alias(quick: Registry, file: str) -> None:
    folder = quick.version("screw", B).folder
    folder.write(file, folder.read(file)[:-1] + b"?")
    for change in (quick.promote, quick.challenge):
        with pytest.raises(RegistryError, match=rf"{file}: was changed.*nothing was changed"):
            change("screw", B, "")
    folder.delete(file)
    with pytest.raises(RegistryError, match=rf"{file}: missing"):
        quick.promote("screw", B, "")
    assert champions_after(quick) == [A]


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_rollback_to_a_version_that_is_gone_or_damaged_is_refused(
    quick: Registry, how: str
) -> None:
    quick.promote("screw", B, "")
    if how == "gone":
        quick.folder.delete_folder(f"screw/versions/{A}")
    else:
        quick.folder.delete(f"screw/versions/{A}/metrics.json")
    with pytest.raises(RegistryError, match="gone" if how == "gone" else "damaged"):
        quick.rollback("screw", "")
    assert quick.aliases("screw").champion == B


def test_a_champion_that_is_gone_can_be_replaced_and_rolled_back_from(quick: Registry) -> None:
    quick.promote("screw", B, "")
    quick.folder.delete_folder(f"screw/versions/{B}")
    with pytest.raises(RegistryError, match="is gone"):
        quick.champion("screw")
    assert any("the champion bbbb0002 is not" in str(p) for p in verify(quick))
    quick.rollback("screw", "it is gone")
    assert quick.champion("screw").id == A
    assert quick.history("screw")[-1].figures[B] is None


def test_a_version_that_never_was_is_refused(quick: Registry) -> None:
    with pytest.raises(RegistryError, match=f"never was; complete versions: {A}, {B}, {C}"):
        quick.promote("screw", D, "")
    with pytest.raises(RegistryError, match="not a version"):
        quick.promote("screw", "..", "")
    with pytest.raises(RegistryError, match="no champion"):
        quick.rollback("tile", "")


def test_two_changes_at_once_on_a_disk_are_one_after_the_other(
    local: Registry, files_of: Files
) -> None:
    keys = [f"key{n:05d}" for n in range(6)]
    for key in keys:
        local.publish("screw", key, files_of(key))
    registry = Registry(local.folder)
    threads = [threading.Thread(target=registry.promote, args=("screw", key, key)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = registry.history("screw")
    assert sorted(c.reason for c in history[1:]) == keys
    for before, after in itertools.pairwise(history):
        assert after.before.champion == before.after.champion
    assert verify(registry) == []


def test_two_changes_at_once_without_locks_lose_no_history_and_the_second_gives_way(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other is made between the first one's history and its aliases.json."""
    real = Folder.write
    monkeypatch.setattr(changing, "_lock", lambda *_: None)

    def write(self: Folder, relative: str, data: bytes) -> None:
        real(self, relative, data)
        if relative.startswith("history/"):
            monkeypatch.setattr(Folder, "write", real)
            registry.promote("screw", B, "the other")

    monkeypatch.setattr(Folder, "write", write)
    with pytest.raises(RegistryError, match="somebody else at the same moment"):
        registry.promote("screw", C, "mine")
    assert registry.aliases("screw").champion == B
    reasons = {c.reason for c in read_history(registry.folder.sub("screw")).values()}
    assert reasons >= {"mine", "the other"}
    assert champions_after(registry) == [A, B]
    assert verify(registry) == []


def test_a_version_deleted_while_it_is_promoted_does_not_become_champion(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Folder.write

    def write(self: Folder, relative: str, data: bytes) -> None:
        real(self, relative, data)
        if relative.startswith("history/"):
            registry.folder.delete_folder(f"screw/versions/{B}")

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", write)
        with pytest.raises(RegistryError, match="deleted at the same moment"):
            registry.promote("screw", B, "")
    assert registry.champion("screw").id == A
    assert champions_after(registry) == [A]


def test_a_lock_that_is_never_given_back_is_said(
    local: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "PATIENCE_S", 0.1)
    held = changing.one_at_a_time(local.folder.sub("screw"))
    with held, pytest.raises(RegistryError, match="another process has been changing"):
        local.promote("screw", B, "")
    assert local.promote("screw", B, "") is not None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("aliases.json", {"format": 2, "aliases": {"champion": A}}),
        (f"versions/{B}/manifest.json", {"format": 2, "blobs": []}),
    ],
)
def test_a_newer_format_is_said_and_nothing_is_changed(
    quick: Registry, path: str, value: Any
) -> None:
    data = json.dumps(value).encode()
    quick.folder.write(f"screw/{path}", data)
    with pytest.raises(RegistryError, match=r"format 2, this program reads 1.*newer version"):
        quick.promote("screw", B, "")
    assert [p.where for p in verify(quick)] == [f"screw/{path}"]
    assert "newer version" in verify(quick)[0].what
    assert quick.folder.read(f"screw/{path}") == data


def test_changed_history_and_aliases_edited_by_hand_are_found(quick: Registry) -> None:
    quick.promote("screw", B, "")
    changes = read_history(quick.folder.sub("screw"))
    name, change = max(changes.items())
    quick.folder.write(f"screw/history/{name}", replace(change, reason="mine").to_bytes())
    assert f"screw/history/{name}" in [p.where for p in verify(quick)]
    with pytest.raises(RegistryError, match="was changed since"):
        quick.rollback("screw", "")
    quick.folder.write(f"screw/history/{name}", change.to_bytes())
    edited = Aliases(C, None, name)
    quick.folder.write("screw/aliases.json", edited.to_bytes())
    assert ["edited by hand" in p.what for p in verify(quick)] == [True]
    quick.rollback("screw", "")  # to what history knew last
    assert quick.aliases("screw").champion == B


@pytest.mark.parametrize("at", range(8))
def test_a_full_disk_publishes_nothing_and_the_next_try_all(
    tmp_path: Path, files_of: Files, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    registry = Registry(open_folder(tmp_path))
    real, count = memseg.storage.os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count > at:
            raise OSError(28, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(memseg.storage.os, "fsync", full)
        with pytest.raises(StorageDownError, match="make room"):
            registry.publish("screw", A, files_of())
    assert registry.version_ids("screw") == ()
    assert not list(tmp_path.rglob("*.part"))
    registry.publish("screw", A, files_of())
    assert verify(registry) == []


def test_no_code_of_a_model_made_by_someone_else_is_run(
    local: Registry, files_of: Files, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (ran,))

    foreign = pickle.dumps(Evil())
    local.publish("screw", D, {**files_of(D), "model.safetensors": foreign})
    with pytest.raises(RegistryError, match="no safetensors file"):
        local.promote("screw", D, "")
    assert "no safetensors file" in str(verify(local)[0])
    assert not ran.exists()
