"""Which records a category's trials have, by one listing of its folder."""

from __future__ import annotations

from dataclasses import dataclass

from memseg.data.categories import check_category_name
from memseg.storage import Folder
from orchestrator.ledger.ledger import FAILURE, RESULT, TRIALS


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a listing says of a file without opening it: a changed file has another stamp."""

    size: int
    """Bytes."""
    mtime_ns: int
    """Time of last change in nanoseconds; 0 where the store has none."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The records that lie in one trial's folder: a result, a failure, or both."""

    result: Stamp | None
    """None: only a failure is there."""


def list_records(workspace: Folder, category: str) -> dict[str, Listed]:
    """Key -> what lies there, of the category's trials that have a record, sorted by key.

    One question for a whole category, or one for each thousand files on an object store. Raises
    StorageError, and DataError for a name that no category can have.
    """
    folder = workspace.sub(f"{TRIALS}/{check_category_name(category)}")
    found: dict[str, Listed] = {}
    for file in folder.files(recursive=True):  # sorted: a failure comes before a result
        key, _, name = file.path.partition("/")
        if name == RESULT:
            found[key] = Listed(Stamp(file.size, file.mtime_ns))
        elif name == FAILURE:
            found[key] = Listed(None)
    return found
