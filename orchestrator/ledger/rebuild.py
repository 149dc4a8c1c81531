"""Makes the ledger's index anew from the ledger."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from memseg.data.categories import check_category_name
from memseg.errors import DataError, StorageDownError, StorageError
from memseg.storage import Folder
from orchestrator.ledger.index import CACHE, Entry, encode, index_files, index_path
from orchestrator.ledger.ledger import TRIALS, Done, Ledger
from orchestrator.ledger.listing import Stamp, list_records
from orchestrator.ledger.sharing import Shared

_READERS = 8
_SETTLED_NS = 2_000_000_000
"""Stores count time in steps of up to seconds. A file that was changed within the last ones may
be changed again without another time or size: it is left out."""


@dataclass
class Rebuilt:
    """What became of an index."""

    path: str = ""
    """In the workspace."""
    size: int = 0
    """Bytes."""
    categories: int = 0
    results: int = 0
    """Entries of the index."""
    fresh: int = 0
    """Results left out because they were changed only just now, or their store tells no times."""
    unreadable: list[str] = field(default_factory=list)
    """Why a result could not be read; tables say so too."""


def rebuild_index(workspace: Folder) -> Rebuilt:
    """Reads every result of the workspace and replaces its index. Raises StorageError."""
    before = index_files(workspace)
    settled_ns = _now_ns(workspace) - _SETTLED_NS
    rebuilt, ledger = Rebuilt(), Ledger(workspace)
    names = [name for name in workspace.folders(TRIALS) if _is_category(name)]
    data = encode(
        {name: functools.partial(_entries, ledger, name, settled_ns, rebuilt) for name in names}
    )
    rebuilt.path, rebuilt.size, rebuilt.categories = index_path(data), len(data), len(names)
    workspace.write(rebuilt.path, data)
    for path in before:
        if path != rebuilt.path:
            workspace.delete(path)
    return rebuilt


def _entries(ledger: Ledger, category: str, settled_ns: int, rebuilt: Rebuilt) -> Sequence[Entry]:
    stamps: dict[str, Stamp] = {}
    for key, stamp in list_records(ledger.workspace, category).items():
        if stamp is None:
            continue
        if 0 < stamp.mtime_ns < settled_ns:
            stamps[key] = stamp
        else:
            rebuilt.fresh += 1
    shared = Shared()

    def read(key: str) -> Entry | str | None:
        try:
            record = ledger.record(category, key)
        except StorageDownError:
            raise
        except StorageError as error:
            return str(error)
        if not isinstance(record, Done):
            return None
        return Entry(key, stamps[key], shared.result(record.result))

    with ThreadPoolExecutor(_READERS) as pool:
        found = list(pool.map(read, stamps))
    rebuilt.unreadable += [reason for reason in found if isinstance(reason, str)]
    entries = [entry for entry in found if isinstance(entry, Entry)]
    rebuilt.results += len(entries)
    return entries


def _is_category(name: str) -> bool:
    try:
        check_category_name(name)
    except DataError:
        return False
    return True


def _now_ns(workspace: Folder) -> int:
    """The time by the store's own clock, which is what it stamps its files with."""
    name = f"ledger-clock-{secrets.token_hex(4)}"
    path = f"{CACHE}/{name}"
    workspace.write(path, b"now")
    try:
        return {file.path: file.mtime_ns for file in workspace.sub(CACHE).files()}.get(name, 0)
    finally:
        workspace.delete(path)
