"""What gc takes, and what it never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memseg.storage import Folder, open_folder
from orchestrator.registry.collecting import (
    LEFTOVER,
    PART,
    VERSION,
    beyond_newest,
    delete_garbage,
    find_garbage,
)
from orchestrator.registry.registry import Registry
from orchestrator.registry.verify import verify

Files = Callable[..., dict[str, bytes]]
KEYS = tuple(f"key{n}" for n in range(7))


def filled(workspace: Folder, files_of: Files) -> Registry:
    """The higher the number, the later the trial; 1 was champion before 2, and 3 challenges."""
    registry = Registry(workspace.sub("registry"))
    for n, key in enumerate(KEYS):
        files = files_of(key, ended_at=f"2026-01-0{n + 1}T00:00:00+00:00")
        registry.publish("screw", key, files)
    registry.promote("screw", "key1", "")
    registry.promote("screw", "key2", "")
    registry.challenge("screw", "key3", "")
    return registry


@pytest.fixture
def registry(workspace: Folder, files_of: Files) -> Registry:
    return filled(workspace, files_of)


@pytest.fixture
def quick(quick_workspace: Folder, files_of: Files) -> Registry:
    return filled(quick_workspace, files_of)


def now(days: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_the_newest_and_the_protected_stay() -> None:
    ended = {"a": "2026-01-01", "b": "2026-01-02", "c": "2026-01-03", "d": ""}
    assert beyond_newest(ended, {"b"}, 1) == ("d", "a")
    assert beyond_newest(ended, (), 0) == ("d", "a", "b", "c")
    assert beyond_newest(ended, ended, 0) == ()
    assert beyond_newest(ended, (), 9) == ()


def test_gc_deletes_what_it_shows_and_nothing_else(registry: Registry) -> None:
    found = find_garbage(registry, ["screw"], 2, now())
    assert [(g.kind, g.name) for g in found.garbage] == [(VERSION, "key0"), (VERSION, "key4")]
    assert found.left_alone == []
    sizes = {f.path: f.size for f in registry.folder.files("screw/versions/key0", recursive=True)}
    assert found.garbage[0].size == sum(sizes.values())
    assert all(delete_garbage(registry, item) for item in found.garbage)
    assert registry.version_ids("screw") == ("key1", "key2", "key3", "key5", "key6")
    assert not registry.folder.exists("screw/versions/key0")
    assert verify(registry) == []
    registry.rollback("screw", "")
    assert registry.champion("screw").id == "key1"


def test_keeping_none_leaves_the_protected(quick: Registry) -> None:
    for item in find_garbage(quick, ["screw"], 0, now()).garbage:
        assert delete_garbage(quick, item)
    assert quick.version_ids("screw") == ("key1", "key2", "key3")


def test_a_version_promoted_since_it_was_shown_stays(quick: Registry) -> None:
    item = find_garbage(quick, ["screw"], 2, now()).garbage[0]
    quick.promote("screw", "key0", "")
    assert not delete_garbage(quick, item)
    assert quick.champion("screw").id == "key0"
    assert verify(quick) == []


def test_a_version_promoted_while_it_is_deleted_stays(
    quick: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without locks: the alias is written just before the manifest goes."""
    item = find_garbage(quick, ["screw"], 2, now()).garbage[0]
    real = Folder.delete

    def delete(self: Folder, relative: str) -> None:
        monkeypatch.setattr(Folder, "delete", real)
        aliases = quick.aliases("screw")
        quick.folder.write("screw/aliases.json", type(aliases)("key0").to_bytes())
        real(self, relative)

    monkeypatch.setattr(Folder, "delete", delete)
    assert not delete_garbage(quick, item)
    assert quick.champion("screw").id == "key0"
    assert verify(quick) == []


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("aliases.json", b"?"),
        ("aliases.json", b'{"format": 2}'),
        ("history/20260101T000000.000000Z-00.json", b"?"),
        ("versions/key5/manifest.json", b'{"format": 2}'),
        ("versions/key5/provenance.json", b"?"),
    ],
)
def test_versions_of_a_category_that_cannot_be_understood_are_left_alone(
    quick: Registry, path: str, data: bytes
) -> None:
    quick.folder.write(f"screw/{path}", data)
    found = find_garbage(quick, ["screw"], 0, now())
    assert found.garbage == []
    assert path.split("/")[-1] in found.left_alone[0]


def test_a_category_without_a_champion_is_left_alone(quick: Registry) -> None:
    quick.folder.delete("screw/aliases.json")
    found = find_garbage(quick, ["screw"], 0, now())
    assert found.garbage == []
    assert "no champion" in found.left_alone[0]


def test_leftovers_are_taken_when_they_are_old(quick: Registry) -> None:
    quick.folder.write("screw/versions/half/model.safetensors", b"half")
    quick.folder.write("screw/versions/half/.config.json.1-ab.part", b"h")
    quick.folder.write("screw/versions/key6/.config.json.1-ab.part", b"ha")
    quick.folder.write("screw/.aliases.json.1-ab.part", b"hal")
    quick.folder.write("screw/versions/Not an id/x", b"somebody's")
    assert find_garbage(quick, ["screw"], 9, now()).garbage == []
    found = find_garbage(quick, ["screw"], 9, now(days=1.1)).garbage
    assert sorted((g.kind, g.path, g.size) for g in found) == sorted([
        (LEFTOVER, "versions/half", 5),
        (PART, ".aliases.json.1-ab.part", 3),
        (PART, "versions/key6/.config.json.1-ab.part", 2),
    ])  # fmt: skip
    assert all(delete_garbage(quick, item) for item in found)
    quick.folder.delete_folder("screw/versions/Not an id")
    assert verify(quick) == []
    assert len(quick.version_ids("screw")) == 7


def test_a_leftover_that_somebody_completed_stays(quick: Registry, files_of: Files) -> None:
    quick.folder.write("screw/versions/half/model.safetensors", b"half")
    item = find_garbage(quick, ["screw"], 9, now(days=2)).garbage[0]
    quick.publish("screw", "half", files_of("half"))
    assert not delete_garbage(quick, item)
    assert verify(quick) == []


def test_a_champions_files_stay_whatever_became_of_its_manifest(quick: Registry) -> None:
    """It may be put back: the champion, the challenger, and what a rollback would take."""
    for key in ("key1", "key2", "key3", "key4"):
        quick.folder.delete(f"screw/versions/{key}/manifest.json")
    found = find_garbage(quick, ["screw"], 9, now(days=2)).garbage
    assert [item.path for item in found] == ["versions/key4"]
    quick.promote("screw", "key5", "")
    (left,) = found
    assert delete_garbage(quick, left)
    for key in ("key2", "key3"):  # key1 is no longer what a rollback would take
        assert not delete_garbage(quick, replace(left, path=f"versions/{key}"))
        assert quick.folder.exists(f"screw/versions/{key}/model.safetensors")


def test_an_empty_folder_of_a_version_is_a_leftover(tmp_path: Path, files_of: Files) -> None:
    """Of a disk that was full at the first file; verify reports it until it is gone."""
    found = filled(open_folder(tmp_path), files_of)
    (tmp_path / "registry" / "screw" / "versions" / "empty").mkdir()
    assert len(verify(found)) == 1
    assert find_garbage(found, ["screw"], 9, now()).garbage == []
    (item,) = find_garbage(found, ["screw"], 9, now(days=2)).garbage
    assert (item.kind, item.path, item.size) == (LEFTOVER, "versions/empty", 0)
    assert delete_garbage(found, item)
    assert verify(found) == []


@pytest.mark.parametrize("moment", range(9))
def test_publishing_what_is_just_deleted_ends_whole_or_absent(
    quick: Registry, files_of: Files, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """gc deletes everything between any two writes of the publisher."""
    quick.folder.write("screw/versions/half/model.safetensors", b"half")
    item = find_garbage(quick, ["screw"], 9, now(days=2)).garbage[0]
    real, count = Folder.write, 0

    def write(self: Folder, relative: str, data: bytes) -> None:
        nonlocal count
        count += 1
        if count == moment + 1:
            delete_garbage(quick, item)
        real(self, relative, data)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", write)
        quick.publish("screw", "half", files_of("half"))
    assert "half" in quick.version_ids("screw")
    assert verify(quick) == []
