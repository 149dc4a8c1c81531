"""From what a person writes to a version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from memseg.errors import RegistryError, StorageError
from memseg.storage import open_folder
from memseg.versions.finding import find_version
from memseg.versions.layout import MANIFEST, REQUIRED, Manifest, sum_of

FIRST, SECOND = "aaaa0001", "bbbb0002"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Two versions of screw, the first its champion."""
    for version in (FIRST, SECOND):
        folder = open_folder(tmp_path / "registry" / "screw" / "versions" / version)
        files = {name: f"{version} {name}".encode() for name in REQUIRED}
        for name, data in files.items():
            folder.write(name, data)
        sums = {name: sum_of(data) for name, data in files.items()}
        folder.write(MANIFEST, Manifest("screw", version, sums).to_bytes())
    aliases = {"format": 1, "champion": FIRST, "challenger": SECOND}
    (tmp_path / "registry" / "screw" / "aliases.json").write_text(json.dumps(aliases))
    return tmp_path / "registry"


def test_an_alias_is_the_version_that_it_names(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_version(f"{registry}/screw@champion").id == FIRST
    assert find_version(f"{registry}/screw@challenger").id == SECOND
    monkeypatch.chdir(registry)
    found = find_version("screw@champion")
    assert (found.category, found.id) == ("screw", FIRST)
    assert found.read("metrics.json") == f"{FIRST} metrics.json".encode()


def test_a_folder_is_a_version_wherever_it_was_copied_to(registry: Path, tmp_path: Path) -> None:
    copy = tmp_path / "edge@home"
    shutil.copytree(registry / "screw" / "versions" / SECOND, copy)
    found = find_version(f"{copy}/")
    assert (found.category, found.id) == ("screw", SECOND)


def test_a_changed_or_missing_file_is_an_error_when_it_is_read(registry: Path) -> None:
    folder = registry / "screw" / "versions" / FIRST
    (folder / "config.json").write_bytes(b"changed")
    (folder / "metrics.json").unlink()
    found = find_version(str(folder))
    with pytest.raises(RegistryError, match=r"config\.json was changed since it was published"):
        found.read("config.json")
    with pytest.raises(RegistryError, match=r"metrics\.json is missing"):
        found.read("metrics.json")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("screw@best", "champion or challenger"),
        ("tile@champion", "no category 'tile' in the registry .*categories: screw"),
        ("..@champion", "not a folder of its own"),
        ("screw", "holds all versions of a category: give .*screw@champion"),
        ("screw/versions", r"has no manifest\.json"),
        ("screw/versions/cccc0003", "there is no model at"),
    ],
)
def test_what_is_no_version_is_said(registry: Path, location: str, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        find_version(f"{registry}/{location}")


def test_an_alias_to_a_version_that_is_gone_names_what_is_there(registry: Path) -> None:
    shutil.rmtree(registry / "screw" / "versions" / FIRST)
    with pytest.raises(RegistryError, match=rf"{FIRST}, which is gone .*versions: {SECOND}"):
        find_version(f"{registry}/screw@champion")


def test_a_category_without_names_and_a_damaged_one_are_said(registry: Path) -> None:
    aliases = registry / "screw" / "aliases.json"
    aliases.write_text(json.dumps({"champion": FIRST}))
    with pytest.raises(RegistryError, match="has no challenger"):
        find_version(f"{registry}/screw@challenger")
    aliases.write_text("{")
    with pytest.raises(RegistryError, match="is damaged"):
        find_version(f"{registry}/screw@champion")
    aliases.unlink()
    with pytest.raises(RegistryError, match="nothing is published yet"):
        find_version(f"{registry}/screw@champion")


def test_a_damaged_manifest_and_a_moved_version_are_refused(registry: Path) -> None:
    versions = registry / "screw" / "versions"
    shutil.copy(versions / SECOND / MANIFEST, versions / FIRST / MANIFEST)
    with pytest.raises(RegistryError, match="it was moved"):
        find_version(f"{registry}/screw@champion")
    manifest = versions / SECOND / MANIFEST
    manifest.write_text(manifest.read_text().replace('"screw"', "7"))
    with pytest.raises(RegistryError, match="does not say whose it is"):
        find_version(str(versions / SECOND))


@pytest.mark.parametrize("data", [
    b"[" * 100_000,
    b'{"category": "screw", "version": "aaaa0001", "files": {"a": {"sha256": "", "size": 1e999}}}',
], ids=["deep", "endless"])  # fmt: skip
def test_a_manifest_made_to_hurt_is_one_message(registry: Path, data: bytes) -> None:
    folder = registry / "screw" / "versions" / FIRST
    (folder / MANIFEST).write_bytes(data)
    with pytest.raises(RegistryError, match=r"manifest\.json is damaged"):
        find_version(str(folder))


def test_a_category_that_would_act_on_a_terminal_is_refused(registry: Path) -> None:
    folder = open_folder(registry / "screw" / "versions" / FIRST)
    sums = {name: sum_of(f"{FIRST} {name}".encode()) for name in REQUIRED}
    folder.write(MANIFEST, Manifest("\x1b[2Jscrew", FIRST, sums).to_bytes())
    with pytest.raises(RegistryError, match="has a control character"):
        find_version(folder.path)


def test_a_file_is_no_model_folder(registry: Path) -> None:
    with pytest.raises(StorageError, match="is a file"):
        find_version(str(registry / "screw" / "aliases.json"))
