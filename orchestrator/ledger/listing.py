"""Which files a category's trials have, by one listing of its folder."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from memseg.data.categories import check_category_name
from memseg.storage import FileInfo, Folder
from orchestrator.ledger.claims import CLAIM, LAPSES_S
from orchestrator.ledger.ledger import CHECKPOINTS, RESULT, TRIALS


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a listing says of a file without opening it: a changed file has another stamp."""

    size: int
    """Bytes."""
    mtime_ns: int
    """Time of last change in nanoseconds; 0 where the store has none."""


def list_records(workspace: Folder, category: str) -> dict[str, Stamp | None]:
    """Key -> its result's stamp, of the category's trials of which something is written.

    None where it is no result: a failure, or a claim of who works at it. One question for a whole
    category, or one for each thousand files on an object store. Raises StorageError, and DataError
    for a name that no category can have.
    """
    found: dict[str, Stamp | None] = {}
    for key, name, file in _files(workspace, category):
        if name == RESULT:
            found[key] = Stamp(file.size, file.mtime_ns)
        elif name.endswith(".json") and "/" not in name:
            found.setdefault(key, None)
    return found


def keys_with(workspace: Folder, category: str, names: Collection[str]) -> set[str]:
    """Keys of the category's trials that keep a file of one of these names.

    Raises like ``list_records``.
    """
    return {key for key, name, _ in _files(workspace, category) if name in names}


def resting_checkpoints(workspace: Folder, category: str) -> set[str]:
    """Keys of the category's trials that have checkpoints and are not claimed by any sweep.

    What a killed sweep had claimed is free once it has lapsed. Raises like ``list_records``.
    """
    found, claimed = set(), set()
    lapsed = time.time_ns() - int(LAPSES_S * 1e9)
    for key, name, file in _files(workspace, category):
        if name == CLAIM:
            if file.mtime_ns > lapsed:  # it is written again whenever it is renewed
                claimed.add(key)
        elif name.startswith(f"{CHECKPOINTS}/"):
            found.add(key)
    return found - claimed


def _files(workspace: Folder, category: str) -> Iterator[tuple[str, str, FileInfo]]:
    """Key, name below the trial's folder, and the file."""
    folder = workspace.sub(f"{TRIALS}/{check_category_name(category)}")
    for file in folder.files(recursive=True):
        key, _, name = file.path.partition("/")
        yield key, name, file
