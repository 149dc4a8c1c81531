from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from memseg.data.fingerprints import (
    HashCache,
    category_files,
    hash_files,
    test_fingerprint,
    texture_fingerprint,
    train_fingerprint,
)
from memseg.data.layouts import LayoutConfig, list_category
from memseg.errors import EmptyDataError
from memseg.storage import Folder, open_folder


def fingerprints(root: Path, category: str = "no") -> tuple[str, str]:
    folder = open_folder(root)
    files = list_category(folder, LayoutConfig(), category)
    hashes = hash_files(folder, category_files(files))
    return train_fingerprint(files, hashes), test_fingerprint(files, hashes)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the files that are read."""
    seen: list[str] = []
    original = Folder.read

    def spy(self: Folder, relative: str) -> bytes:
        seen.append(relative)
        return original(self, relative)

    monkeypatch.setattr(Folder, "read", spy)
    return seen


def age(root: Path) -> None:
    """As if the files had been written long ago."""
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (1_600_000_000, 1_600_000_000))


def test_hashes_are_sha256_of_contents(mvtec_root: Path) -> None:
    root = open_folder(mvtec_root)
    for path, digest in hash_files(root, root.files("no", recursive=True)).items():
        assert digest == hashlib.sha256((mvtec_root / path).read_bytes()).hexdigest()


def test_fingerprints_do_not_depend_on_where_a_category_lies(mvtec_root: Path) -> None:
    shutil.copytree(mvtec_root / "no", mvtec_root / "renamed")
    assert fingerprints(mvtec_root, "renamed") == fingerprints(mvtec_root, "no")
    assert fingerprints(mvtec_root, "01") != fingerprints(mvtec_root, "no")


def test_each_change_of_training_images_changes_their_fingerprint(mvtec_root: Path) -> None:
    folder = mvtec_root / "no/train/good"
    seen = [fingerprints(mvtec_root)]
    with (folder / "000.png").open("ab") as stream:
        stream.write(b"x")
    seen.append(fingerprints(mvtec_root))
    (folder / "000.png").rename(folder / "9.png")
    seen.append(fingerprints(mvtec_root))
    (folder / "9.png").unlink()
    seen.append(fingerprints(mvtec_root))
    assert len({train for train, _ in seen}) == 4
    assert len({test for _, test in seen}) == 1


def test_each_change_of_test_images_masks_or_labels_changes_their_fingerprint(
    mvtec_root: Path,
) -> None:
    category = mvtec_root / "no"
    seen = [fingerprints(mvtec_root)]
    for changed in ("test/good/000.png", "test/scratch/000.png",
                    "ground_truth/scratch/000_mask.png"):  # fmt: skip
        with (category / changed).open("ab") as stream:
            stream.write(b"x")
        seen.append(fingerprints(mvtec_root))
    for folder in ("test", "ground_truth"):
        (category / folder / "scratch").rename(category / folder / "dent")
    seen.append(fingerprints(mvtec_root))
    assert len({test for _, test in seen}) == 5
    assert len({train for train, _ in seen}) == 1


def test_unchanged_files_are_read_once(mvtec_root: Path, tmp_path: Path, reads: list[str]) -> None:
    age(mvtec_root)
    root = open_folder(mvtec_root)
    files = root.files("no", recursive=True)
    first = hash_files(root, files, HashCache(tmp_path / "cache/hashes.json"))
    assert len(reads) == len(files)
    assert hash_files(root, files, HashCache(tmp_path / "cache/hashes.json")) == first
    assert len(reads) == len(files)


def test_a_changed_file_is_read_again(mvtec_root: Path, tmp_path: Path, reads: list[str]) -> None:
    age(mvtec_root)
    root, cache = open_folder(mvtec_root), HashCache(tmp_path / "hashes.json")
    before = hash_files(root, root.files("no", recursive=True), cache)
    path = mvtec_root / "no/train/good/000.png"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # same size
    path.write_bytes(data)
    reads.clear()
    after = hash_files(root, root.files("no", recursive=True), cache)
    assert reads == ["no/train/good/000.png"]
    assert {p for p in after if after[p] != before[p]} == {"no/train/good/000.png"}


def test_a_file_that_was_written_just_now_is_not_remembered(
    mvtec_root: Path, reads: list[str]
) -> None:
    # It could change again within the same tick of the file system's clock.
    path = mvtec_root / "no/train/good/000.png"
    age(mvtec_root)
    os.utime(path)
    root, cache = open_folder(mvtec_root), HashCache(None)
    hash_files(root, root.files("no", recursive=True), cache)
    reads.clear()
    hash_files(root, root.files("no", recursive=True), cache)
    assert reads == ["no/train/good/000.png"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"version": 1}', b'{"version": 1, "files": {"x": 3}}',
     b'{"version": 99, "files": {}}'],
)  # fmt: skip
def test_a_damaged_cache_is_built_again(
    mvtec_root: Path, tmp_path: Path, content: bytes, reads: list[str]
) -> None:
    age(mvtec_root)
    path = tmp_path / "hashes.json"
    path.write_bytes(content)
    root = open_folder(mvtec_root)
    files = root.files("01", recursive=True)
    expected = hash_files(root, files)
    assert hash_files(root, files, HashCache(path)) == expected
    reads.clear()
    assert hash_files(root, files, HashCache(path)) == expected
    assert reads == []


def test_textures_are_told_by_content_and_place(mvtec_root: Path, tmp_path: Path) -> None:
    folder = open_folder(mvtec_root / "01")
    first = texture_fingerprint(folder)
    shutil.copytree(mvtec_root / "01", tmp_path / "copy")
    assert texture_fingerprint(open_folder(tmp_path / "copy")) == first
    path = tmp_path / "copy/train/good/000.png"
    path.write_bytes(np.random.default_rng(0).bytes(100))
    assert texture_fingerprint(open_folder(tmp_path / "copy")) != first
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmptyDataError, match="holds no images"):
        texture_fingerprint(open_folder(tmp_path / "empty"))
    with pytest.raises(EmptyDataError, match="does not exist"):
        texture_fingerprint(open_folder(tmp_path / "nowhere"))
