"""Writes a version's files, its manifest last, and takes versions away, their manifest first."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from memseg.errors import RegistryError
from memseg.storage import Folder
from memseg.versions.layout import (
    MANIFEST,
    REQUIRED,
    Manifest,
    check_file_name,
    is_unfinished,
    sum_of,
)
from orchestrator.registry.changing import one_at_a_time
from orchestrator.registry.checking import check_version


def write_version(folder: Folder, category: str, version: str, files: Mapping[str, bytes]) -> None:
    """Makes a version in its folder. Raises RegistryError, StorageError; then there is none.

    On a local file system publishers of one version follow each other, and the second finds it
    done. Elsewhere one may see the other's manifest while it writes: if all is as that says it
    leaves it so, else it makes the version its own. A kill at that moment, between two publishers
    who chose the trial differently, is what only ``verify`` finds.
    """
    missing = [name for name in REQUIRED if name not in files]
    if missing:
        raise RegistryError(
            f"version {version} of {category!r} cannot be published without {', '.join(missing)}"
        )
    for name in files:
        check_file_name(name)
    if folder.is_local:  # for the lock; where that cannot be, the first write says why
        with contextlib.suppress(OSError):
            Path(folder.path).mkdir(parents=True, exist_ok=True)
    with one_at_a_time(folder):
        if not folder.exists(MANIFEST):
            _write(folder, category, version, files)


def _write(folder: Folder, category: str, version: str, files: Mapping[str, bytes]) -> None:
    # What an interrupted publication left and this one does not have.
    for left in folder.files(recursive=True):
        if left.path not in files and left.path != MANIFEST and not is_unfinished(left.path):
            folder.delete(left.path)
    looked = False
    for name, data in sorted(files.items()):
        if not looked and folder.exists(MANIFEST):
            if not any(check_version(folder, category, version)):
                return
            looked = True
        folder.write(name, data)
    sums = {name: sum_of(data) for name, data in files.items()}
    manifest = Manifest(category, version, sums).to_bytes()
    folder.write(MANIFEST, manifest)
    _settle(folder, files, manifest)


def _settle(folder: Folder, files: Mapping[str, bytes], manifest: bytes) -> None:
    """Reads everything back, and puts right what others did at the same moment.

    Two publishers of a trial write the same, unless they chose it differently or have different
    programs: then the files of one may lie between those of the other. The one whose manifest
    was written last makes them all its own. And gc may have been deleting what an earlier
    publication left.
    """
    left = [f.path for f in folder.files(recursive=True) if not is_unfinished(f.path)]
    for name in {*files, *left} - {MANIFEST}:
        data = files.get(name)
        if data is not None and _holds(folder, name, data):
            continue
        if not _holds(folder, MANIFEST, manifest):
            return  # the other one was the last, or gc has taken the version away
        if data is None:
            folder.delete(name)
        else:
            folder.write(name, data)


def _holds(folder: Folder, name: str, data: bytes) -> bool:
    return folder.exists(name) and folder.read(name) == data


def delete_version(folder: Folder) -> None:
    """Deletes a version, or what is left of one: absent at once, then without its files.

    Somebody who publishes it again at this moment ends with the whole version or with none:
    whichever of us looks last sees that files are missing. Raises StorageError.
    """
    folder.delete(MANIFEST)
    try:
        folder.delete_folder("")
    finally:
        present = {file.path for file in folder.files()}
        if MANIFEST in present and not present.issuperset(REQUIRED):
            folder.delete(MANIFEST)
