"""Writes a version's files, its manifest last, and takes versions away, their manifest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memseg.errors import RegistryError
from memseg.storage import Folder
from orchestrator.registry.layout import (
    MANIFEST,
    REQUIRED,
    Manifest,
    check_file_name,
    is_unfinished,
    sum_of,
)


def write_version(folder: Folder, category: str, version: str, files: Mapping[str, bytes]) -> None:
    """Makes a version in its folder. Raises RegistryError, StorageError; then there is none."""
    missing = [name for name in REQUIRED if name not in files]
    if missing:
        raise RegistryError(
            f"version {version} of {category!r} cannot be published without {', '.join(missing)}"
        )
    for name in files:
        check_file_name(name)
    # What an interrupted publication left and this one does not have.
    for left in folder.files(recursive=True):
        if left.path not in files and left.path != MANIFEST and not is_unfinished(left.path):
            folder.delete(left.path)
    for name, data in sorted(files.items()):
        folder.write(name, data)
    sums = {name: sum_of(data) for name, data in files.items()}
    folder.write(MANIFEST, Manifest(category, version, sums).to_bytes())
    # gc may have been deleting what an earlier publication left: it looks again, after us.
    for name in missing_files(folder, files):
        folder.write(name, files[name])


def delete_version(folder: Folder) -> None:
    """Deletes a version, or what is left of one: absent at once, then without its files.

    Somebody who publishes it again at this moment ends with the whole version or with none:
    whichever of us looks last sees that files are missing. Raises StorageError.
    """
    folder.delete(MANIFEST)
    try:
        folder.delete_folder("")
    finally:
        if folder.exists(MANIFEST) and missing_files(folder, REQUIRED):
            folder.delete(MANIFEST)


def missing_files(folder: Folder, names: Iterable[str]) -> list[str]:
    """Those of a version's files that are not there."""
    present = {file.path for file in folder.files()}
    return [name for name in names if name not in present]
