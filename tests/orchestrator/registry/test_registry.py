"""The registry's contract, on each storage."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors

from memseg.errors import DataError, RegistryError
from memseg.storage import Folder, open_folder
from memseg.versions.layout import REQUIRED
from orchestrator.registry import changing, writing
from orchestrator.registry.registry import Registry
from orchestrator.registry.verify import verify
from tests.orchestrator.registry.conftest import killed_after

Files = Callable[..., dict[str, bytes]]
FIRST, SECOND = "aaaa0001", "bbbb0002"


@pytest.fixture
def registry(workspace: Folder) -> Registry:
    return Registry(workspace.sub("registry"))


@pytest.fixture
def quick_registry(quick_workspace: Folder) -> Registry:
    return Registry(quick_workspace.sub("registry"))


def contents(folder: Folder) -> dict[str, bytes]:
    return {f.path: folder.read(f.path) for f in folder.files(recursive=True)}


def test_an_empty_registry_has_nothing_and_nothing_is_wrong(registry: Registry) -> None:
    assert registry.categories() == ()
    assert registry.version_ids("screw") == ()
    assert registry.champion_id("screw") is None
    assert verify(registry) == []
    with pytest.raises(RegistryError, match="no champion"):
        registry.champion("screw")


def test_a_published_version_is_read_back_whole(registry: Registry, files_of: Files) -> None:
    files = files_of()
    published = registry.publish("screw", FIRST, files)
    read = registry.version("screw", FIRST)
    assert read == published
    assert {name: read.read(name) for name in read.manifest.files} == files
    assert set(REQUIRED) <= set(files)
    assert read.read_json("metrics.json")["test"]["image_auroc"] == 0.975
    tensors = load_tensors(read.read("model.safetensors"))
    assert list(tensors["a.weight"]) == list(np.arange(6.0))
    assert verify(registry) == []


def test_the_first_version_is_champion_and_stays_it(registry: Registry, files_of: Files) -> None:
    registry.publish("screw", SECOND, files_of(SECOND))
    registry.publish("screw", FIRST, files_of(FIRST))
    registry.publish("tile", FIRST, files_of(FIRST, "tile"))
    assert registry.champion("screw").id == SECOND
    assert registry.version_ids("screw") == (FIRST, SECOND)
    assert registry.champion("tile").id == FIRST
    assert registry.categories() == ("screw", "tile")
    assert verify(registry) == []


def test_publishing_twice_is_one_version_and_writes_nothing(
    registry: Registry, files_of: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = registry.publish("screw", FIRST, files_of())

    def never(*args: Any) -> None:
        raise AssertionError("an immutable version was changed")

    with monkeypatch.context() as patch:
        for name in ("write", "delete", "delete_folder"):
            patch.setattr(Folder, name, never)
        again = registry.publish("screw", FIRST, files_of(seconds={"total": 99}))
    assert again == first
    assert registry.version_ids("screw") == (FIRST,)


@pytest.mark.parametrize("written", range(len(REQUIRED) + 3))
def test_a_publisher_killed_before_any_write_leaves_no_version_or_a_whole_one(
    quick_registry: Registry, files_of: Files, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    with killed_after(written, monkeypatch) as writes:
        quick_registry.publish("screw", FIRST, files_of())
    whole = "manifest.json" in writes
    assert whole == (written > len(REQUIRED))
    assert quick_registry.version_ids("screw") == ((FIRST,) if whole else ())
    assert quick_registry.champion_id("screw") is None
    if not whole:
        with pytest.raises(RegistryError, match="no version"):
            quick_registry.version("screw", FIRST)

    # The next publication, of the same trial, completes it.
    quick_registry.publish("screw", FIRST, files_of())
    assert quick_registry.champion("screw").read("config.json") == files_of()["config.json"]
    assert verify(quick_registry) == []


def test_a_first_version_whose_publisher_died_before_saying_so_is_the_champion(
    registry: Registry, files_of: Files
) -> None:
    registry.publish("screw", SECOND, files_of(SECOND))
    registry.folder.delete("screw/aliases.json")
    registry.publish("screw", FIRST, files_of(FIRST))
    assert registry.champion("screw").id == SECOND


def test_a_damaged_version_is_not_named_first_champion(
    quick_registry: Registry, files_of: Files
) -> None:
    quick_registry.publish("screw", FIRST, files_of(FIRST))
    quick_registry.folder.delete_folder("screw/history")
    quick_registry.folder.delete("screw/aliases.json")
    quick_registry.folder.write(f"screw/versions/{FIRST}/model.safetensors", b"damaged")
    quick_registry.publish("screw", SECOND, files_of(SECOND))
    assert quick_registry.champion("screw").id == SECOND


def test_asking_whether_a_trial_is_published_ends_an_interrupted_publication(
    quick_registry: Registry, files_of: Files
) -> None:
    assert not quick_registry.is_published("screw", FIRST)
    quick_registry.publish("screw", FIRST, files_of())
    quick_registry.folder.delete("screw/aliases.json")
    assert quick_registry.is_published("screw", FIRST)
    assert quick_registry.champion("screw").id == FIRST


def test_what_an_interrupted_publication_left_does_not_get_into_the_version(
    registry: Registry, files_of: Files
) -> None:
    folder = registry.folder.sub(f"screw/versions/{FIRST}")
    folder.write("model.safetensors", b"half")
    folder.write("example.png", b"of an older program")
    registry.publish("screw", FIRST, files_of())
    assert set(contents(folder)) == {*files_of(), "manifest.json"}
    assert verify(registry) == []


def test_two_publishers_of_one_trial_at_once_make_one_whole_version(
    quick_registry: Registry, files_of: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second publishes everything, and chose it otherwise, between two writes of the first.

    As on a storage without locks.
    """
    monkeypatch.setattr(writing, "one_at_a_time", lambda folder: contextlib.nullcontext())
    others = {**files_of(selection="oracle"), "examples.png": b"mine"}
    quiet = Registry(quick_registry.folder.sub("quiet"))
    first = contents(quiet.publish("screw", FIRST, files_of()).folder)
    quiet = Registry(quick_registry.folder.sub("quiet too"))
    second = contents(quiet.publish("screw", FIRST, others).folder)
    real = Folder.write
    for position in range(len(REQUIRED) + 1):
        rival = Registry(quick_registry.folder.sub(f"race{position}"))
        count = 0

        def write(
            self: Folder, relative: str, data: bytes, rival: Registry = rival, at: int = position
        ) -> None:
            nonlocal count
            count += 1
            if count == at + 1:
                rival.publish("screw", FIRST, others)
            real(self, relative, data)

        with monkeypatch.context() as patch:
            patch.setattr(Folder, "write", write)
            rival.publish("screw", FIRST, files_of())
        assert contents(rival.champion("screw").folder) in (first, second)
        assert verify(rival) == []


def test_on_a_disk_a_second_publisher_waits_and_finds_it_done(
    tmp_path: Path, files_of: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It chose otherwise: killed between two writes, it would have damaged the first for good."""
    registry = Registry(open_folder(tmp_path / "registry"))
    others = {**files_of(selection="oracle"), "examples.png": b"mine"}
    real = Folder.write
    waits = threading.Event()
    writers: list[int] = []
    second = threading.Thread(target=lambda: registry.publish("screw", FIRST, others))

    def write(self: Folder, relative: str, data: bytes) -> None:
        if not writers:
            second.start()
            assert waits.wait(60)
        writers.append(threading.get_ident())
        real(self, relative, data)

    def lock(descriptor: int, where: str, real: Any = changing._lock) -> None:
        if threading.current_thread() is second:
            waits.set()
        real(descriptor, where)

    monkeypatch.setattr(changing, "_lock", lock)
    monkeypatch.setattr(Folder, "write", write)
    registry.publish("screw", FIRST, files_of())
    second.join()
    assert set(writers) == {threading.get_ident()}
    assert set(contents(registry.champion("screw").folder)) == {*files_of(), "manifest.json"}


def test_a_crowd_of_publishers_loses_and_mixes_nothing(workspace: Folder, files_of: Files) -> None:
    """Threads here; processes, and kills, in test_killed_publishers."""
    if workspace.filesystem.type_name == "mock":
        pytest.skip("the storage in memory is for one thread")
    keys = ["same0001", "same0001", *(f"trial00{n}" for n in range(4))]
    folder = workspace.sub("registry")
    with ThreadPoolExecutor(len(keys)) as pool:
        list(pool.map(lambda key: Registry(folder).publish("screw", key, files_of(key)), keys))
    registry = Registry(folder)
    assert registry.version_ids("screw") == tuple(sorted(set(keys)))
    assert registry.champion_id("screw") in keys
    assert verify(registry) == []


def test_more_files_are_kept_and_summed_too(registry: Registry, files_of: Files) -> None:
    version = registry.publish("screw", FIRST, {**files_of(), "example.png": b"picture"})
    assert version.read("example.png") == b"picture"
    with pytest.raises(RegistryError, match=r"no file 'other\.png'"):
        version.read("other.png")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_version_without_one_of_its_files_is_not_published(
    quick_registry: Registry, files_of: Files, name: str
) -> None:
    files = files_of()
    del files[name]
    with pytest.raises(RegistryError, match=name):
        quick_registry.publish("screw", FIRST, files)
    assert quick_registry.categories() == ()


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "manifest.json", "-x", "a\nb"])
def test_files_that_would_leave_or_hide_are_refused(
    quick_registry: Registry, files_of: Files, name: str
) -> None:
    with pytest.raises(RegistryError, match="cannot be a file"):
        quick_registry.publish("screw", FIRST, {**files_of(), name: b"x"})
    assert quick_registry.categories() == ()


@pytest.mark.parametrize("category", ["..", "", "a/b", "-x"])
def test_bad_category_names_are_refused(
    quick_registry: Registry, files_of: Files, category: str
) -> None:
    with pytest.raises(DataError):
        quick_registry.publish(category, FIRST, files_of())


@pytest.mark.parametrize("version", ["..", "", "a/b", "A B", "x"])
def test_bad_version_names_are_refused(
    quick_registry: Registry, files_of: Files, version: str
) -> None:
    with pytest.raises(RegistryError, match="not a version"):
        quick_registry.publish("screw", version, files_of())
    with pytest.raises(RegistryError, match="not a version"):
        quick_registry.version("screw", version)


def test_a_changed_byte_is_an_error_on_reading(registry: Registry, files_of: Files) -> None:
    version = registry.publish("screw", FIRST, files_of())
    data = bytearray(version.read("model.safetensors"))
    data[-1] ^= 1
    version.folder.write("model.safetensors", bytes(data))
    with pytest.raises(RegistryError, match=r"model\.safetensors was changed"):
        registry.champion("screw").read("model.safetensors")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"champion": 3}', b'{"champion": ".."}']
)
def test_damaged_aliases_are_an_error_and_are_not_overwritten(
    quick_registry: Registry, files_of: Files, data: bytes
) -> None:
    quick_registry.publish("screw", FIRST, files_of())
    quick_registry.folder.write("screw/aliases.json", data)
    with pytest.raises(RegistryError, match=r"aliases\.json"):
        quick_registry.champion("screw")
    quick_registry.publish("screw", SECOND, files_of(SECOND))
    assert quick_registry.folder.read("screw/aliases.json") == data


def test_the_manifest_lists_sha256_and_size_of_each_file(
    registry: Registry, files_of: Files
) -> None:
    version = registry.publish("screw", FIRST, files_of())
    manifest = json.loads(version.folder.read("manifest.json"))
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in files_of().items()
    }
