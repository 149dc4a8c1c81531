"""What a data set is, by content: sha256 over paths and the files' own sha256."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from memseg.data.listing import CategoryFiles, images_below
from memseg.errors import EmptyDataError, StorageError
from memseg.storage import FileInfo, Folder, open_folder

_CACHE_VERSION = 1
_SETTLED_NS = 2_000_000_000
_THREADS = 8


def sha256(data: bytes) -> str:
    """Hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class HashCache:
    """Hashes of files by path, size and time of last change, in a local JSON file.

    Only a saving: a cache that is damaged or of another version counts as empty. A file whose
    time is unknown or so recent that it might change again within the clock's grain is not
    remembered.
    """

    def __init__(self, path: Path | None) -> None:
        """Reads the cache; None keeps it in memory only."""
        self._path = path.expanduser().absolute() if path else None
        self._entries: dict[str, list[Any]] = _read_entries(self._path) if self._path else {}
        self._changed = False

    def get(self, folder: Folder, file: FileInfo) -> str | None:
        """The file's hash if it has not changed since it was remembered."""
        entry = self._entries.get(_place(folder, file))
        if entry is None or entry[:2] != [file.size, file.mtime_ns] or file.mtime_ns == 0:
            return None
        return str(entry[2])

    def put(self, folder: Folder, file: FileInfo, digest: str) -> None:
        """Remembers a hash."""
        if file.mtime_ns == 0 or time.time_ns() - file.mtime_ns < _SETTLED_NS:
            return
        entry = [file.size, file.mtime_ns, digest]
        if self._entries.get(_place(folder, file)) != entry:
            self._entries[_place(folder, file)] = entry
            self._changed = True

    def save(self) -> None:
        """Writes the cache, whole, if it changed. It is only a saving: where it cannot be
        written, files are hashed again next time."""
        if self._path is None or not self._changed:
            return
        content = {"version": _CACHE_VERSION, "files": self._entries}
        with contextlib.suppress(StorageError):
            open_folder(self._path.parent).write_json(self._path.name, content)
        self._changed = False


class UnreadFiles(HashCache):
    """Takes a file that is not remembered for known by its place, size and time, unread.

    For costs alone, while there is no result that a fingerprint could find.
    """

    def get(self, folder: Folder, file: FileInfo) -> str:
        """The file's hash, or a stand-in for it."""
        stand_in = f"unread:{_place(folder, file)}:{file.size}:{file.mtime_ns}"
        return super().get(folder, file) or sha256(stand_in.encode())


def _place(folder: Folder, file: FileInfo) -> str:
    return f"{folder.filesystem.type_name}:{folder.at(file.path)}"


def _read_entries(path: Path) -> dict[str, list[Any]]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict) or content.get("version") != _CACHE_VERSION:
        return {}
    files = content.get("files")
    if not isinstance(files, dict):
        return {}
    return {place: entry for place, entry in files.items() if _is_entry(entry)}


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and [type(part) for part in entry] == [int, int, str]
        and len(entry[2]) == 64
    )


def hash_files(
    root: Folder, files: Iterable[FileInfo], cache: HashCache | None = None
) -> dict[str, str]:
    """Path -> sha256 of the content. Reads what the cache does not know. Raises StorageError."""
    wanted = {file.path: file for file in files}
    hashes = {
        path: known
        for path, file in wanted.items()
        if cache is not None and (known := cache.get(root, file)) is not None
    }
    unknown = [file for path, file in wanted.items() if path not in hashes]
    with ThreadPoolExecutor(_THREADS) as pool:
        digests = pool.map(lambda file: sha256(root.read(file.path)), unknown)
        for file, digest in zip(unknown, digests):
            hashes[file.path] = digest
            if cache is not None:
                cache.put(root, file, digest)
    if cache is not None:
        cache.save()
    return hashes


def category_files(files: CategoryFiles) -> list[FileInfo]:
    """All images and masks of a category."""
    masks = [test.mask for test in files.test if test.mask is not None]
    return [*files.train, *(test.image for test in files.test), *masks]


def train_fingerprint(files: CategoryFiles, hashes: Mapping[str, str]) -> str:
    """Hexadecimal sha256 of the training images: paths below the category, and contents."""
    return _digest([[_inside(files, f), hashes[f.path]] for f in files.train])


def test_fingerprint(files: CategoryFiles, hashes: Mapping[str, str]) -> str:
    """Hexadecimal sha256 of the test images with their labels, defect types and masks."""
    return _digest(
        [
            [
                _inside(files, test.image),
                hashes[test.image.path],
                test.defect,
                test.anomalous,
                [_inside(files, test.mask), hashes[test.mask.path]] if test.mask else None,
            ]
            for test in files.test
        ]
    )


test_fingerprint.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest's


def texture_fingerprint(folder: Folder, cache: HashCache | None = None) -> str:
    """Hexadecimal sha256 of a folder's textures: paths below it, and contents.

    Raises EmptyDataError where there are none.
    """
    files = texture_files(folder)
    hashes = hash_files(folder, files, cache)
    return _digest([[file.path, hashes[file.path]] for file in files])


def texture_files(folder: Folder) -> list[FileInfo]:
    """Texture images at any depth, sorted by path. Raises EmptyDataError where there are none."""
    if not folder.is_folder():
        raise EmptyDataError(f"the texture folder {folder.path} does not exist")
    files = images_below(folder, "")
    if not files:
        raise EmptyDataError(
            f"the texture folder {folder.path} holds no images: name another, or none to use "
            "textures drawn by the code"
        )
    return files


def _inside(files: CategoryFiles, file: FileInfo) -> str:
    return file.path.removeprefix(f"{files.category}/")


def _digest(rows: list[list[Any]]) -> str:
    text = json.dumps(sorted(rows, key=lambda row: str(row[0])), separators=(",", ":"))
    return sha256(text.encode())
