"""Verification finds whatever was changed, whichever file it is in."""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.errors import DataError, RegistryError
from memseg.storage import Folder, open_folder
from memseg.versions.layout import MODEL, REQUIRED
from orchestrator.registry.registry import Registry
from orchestrator.registry.verify import verify

Files = Callable[..., dict[str, bytes]]
KEY = "aaaa0001"


@pytest.fixture
def registry(quick_workspace: Folder, files_of: Files) -> Registry:
    made = Registry(quick_workspace.sub("registry"))
    made.publish("screw", KEY, files_of())
    made.publish("tile", KEY, files_of(KEY, "tile"))
    return made


@pytest.mark.parametrize("name", [*REQUIRED, "manifest.json"])
def test_one_flipped_byte_is_found_and_named(registry: Registry, name: str) -> None:
    path = f"screw/versions/{KEY}/{name}"
    data = bytearray(registry.folder.read(path))
    data[len(data) // 2] ^= 0x20
    registry.folder.write(path, bytes(data))
    problems = verify(registry)
    assert [p.where for p in problems] == [path]
    assert verify(registry, "tile") == []
    assert [p.where for p in verify(registry, "screw")] == [path]


def test_a_missing_a_shorter_and_an_additional_file_are_found(registry: Registry) -> None:
    folder = registry.folder.sub(f"screw/versions/{KEY}")
    folder.delete("config.json")
    folder.write("metrics.json", folder.read("metrics.json")[:-1])
    folder.write("notes.txt", b"mine")
    folder.write("deep/er.txt", b"mine")
    found = {p.where.removeprefix(f"screw/versions/{KEY}/"): p.what for p in verify(registry)}
    assert found["config.json"] == "missing"
    assert "bytes" in found["metrics.json"]
    assert "not in the manifest" in found["notes.txt"]
    assert "not in the manifest" in found["deep/er.txt"]
    assert len(found) == 4


def test_a_version_without_manifest_and_the_alias_to_it_are_found(registry: Registry) -> None:
    registry.folder.delete(f"screw/versions/{KEY}/manifest.json")
    problems = [str(p) for p in verify(registry)]
    assert len(problems) == 2
    assert "interrupted" in problems[0]
    assert KEY in problems[1]
    assert "not a complete version" in problems[1]


def test_missing_and_damaged_aliases_are_found(registry: Registry) -> None:
    registry.folder.delete("screw/aliases.json")
    registry.folder.write("tile/aliases.json", b"?")
    where = {p.where for p in verify(registry)}
    assert where == {"screw/aliases.json", "tile/aliases.json"}


def test_a_version_that_was_moved_to_another_name_is_found(registry: Registry) -> None:
    for file in registry.folder.files(f"screw/versions/{KEY}"):
        name = file.path.rpartition("/")[2]
        registry.folder.write(f"screw/versions/cccc0003/{name}", registry.folder.read(file.path))
    problems = verify(registry, "screw")
    assert ["cccc0003/manifest.json" in p.where for p in problems] == [True]
    assert "moved" in problems[0].what


def test_files_beside_the_versions_are_found(registry: Registry) -> None:
    registry.folder.write("screw/readme.txt", b"x")
    registry.folder.write("screw/versions/readme.txt", b"x")
    registry.folder.write("screw/other/x.txt", b"x")
    assert {p.where for p in verify(registry)} == {
        "screw/readme.txt", "screw/versions/readme.txt", "screw/other",
    }  # fmt: skip


def test_a_write_that_is_not_finished_is_no_problem(registry: Registry) -> None:
    registry.folder.write(f"screw/versions/{KEY}/.model.safetensors.12-ab.part", b"x")
    assert verify(registry) == []


def test_an_unknown_or_impossible_category_is_an_error(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="screw, tile"):
        verify(registry, "cable")
    with pytest.raises(DataError):
        verify(registry, "..")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A version of small files, whose bytes hypothesis changes and puts back."""
    registry = Registry(open_folder(tmp_path_factory.mktemp("flips")))
    files = {name: sha256(name.encode()).digest() for name in REQUIRED}
    registry.publish("screw", KEY, {**files, MODEL: struct.pack("<Q", 2) + b"{}"})
    return registry


@settings(max_examples=30, deadline=None)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7), file=st.integers(0, len(REQUIRED)))
def test_any_flipped_bit_of_any_file_is_found(
    published: Registry, place: int, bit: int, file: int
) -> None:
    folder = published.folder.sub(f"screw/versions/{KEY}")
    name = [*REQUIRED, "manifest.json"][file]
    whole = folder.read(name)
    changed = bytearray(whole)
    changed[place % len(whole)] ^= 1 << bit
    folder.write(name, bytes(changed))
    try:
        where = [p.where for p in verify(published)]
    finally:
        folder.write(name, whole)
    if name == "manifest.json":  # a changed sum is found at the file that it is of
        assert where
    else:
        assert where == [f"screw/versions/{KEY}/{name}"]
