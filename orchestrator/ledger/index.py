"""The ledger's index: one Parquet file that holds what thousands of small files say.

Only a cache, ``cache/ledger-<digest>.parquet`` of a workspace: deleting it loses nothing. An
entry counts only while a listing shows its file with the size and time that it was read with,
and the file is named by a digest of its bytes, so that damage is seen. What the index does not
hold, or no longer rightly, is read from the ledger itself.

One row group a category. Parts that many results share (``sharing.COMMON``) are columns of JSON
text, which Parquet stores once for each distinct value; the rest of a result is one more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from memseg.errors import StorageError
from memseg.storage import Folder
from orchestrator.ledger.listing import Stamp
from orchestrator.ledger.sharing import COMMON, Shared, text_of

FORMAT = 1
"""Raised when an older program would read the file wrongly."""
CACHE = "cache"
_BEGINS, _ENDS = "ledger-", ".parquet"
_METADATA = b"memseg.ledger"
_OWN_COLUMNS = {
    "key": pa.string(), "size": pa.int64(), "mtime_ns": pa.int64(), "own": pa.string(),
}  # fmt: skip
"""All others are named as the part of a result that they hold."""
_PARSED_AT_ONCE = 512
"""Results; texts that are parsed together share the names of their parts."""
_UNUSABLE = (OSError, ValueError, KeyError, TypeError, IndexError, pa.ArrowException)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Entry:
    """One result and the file that it was read from."""

    key: str
    stamp: Stamp
    result: Mapping[str, Any]


def index_files(workspace: Folder) -> list[str]:
    """Paths of the index in a workspace, the newest first; more than one only for a moment."""
    found = [
        file
        for file in workspace.sub(CACHE).files()
        if file.path.startswith(_BEGINS) and file.path.endswith(_ENDS)
    ]
    found.sort(key=lambda file: (-file.mtime_ns, file.path))
    return [f"{CACHE}/{file.path}" for file in found]


def index_path(data: bytes) -> str:
    """Where an index of these bytes lies in its workspace."""
    return f"{CACHE}/{_BEGINS}{hashlib.sha256(data).hexdigest()[:32]}{_ENDS}"


class Index:
    """Results by category, of those entries whose files are as they were. See ``open_index``."""

    def __init__(self, file: pq.ParquetFile, categories: Sequence[str], where: str, say: Say):
        self._file, self._where, self._say = file, where, say
        self._group = {category: number for number, category in enumerate(categories)}

    def results(
        self, category: str, stamps: Mapping[str, Stamp], shared: Shared
    ) -> dict[str, dict[str, Any]]:
        """Key -> result, of the keys in ``stamps`` whose entry has the same stamp.

        ``stamps``: what a listing says of each trial's result now.
        """
        if category not in self._group:
            return {}
        try:
            table = self._file.read_row_group(self._group[category], use_threads=False)
            return dict(_decode(table, stamps, shared))
        except _UNUSABLE as error:
            self._say(_ignored(self._where, str(error)))
            return {}


def open_index(workspace: Folder, say: Say) -> Index | None:
    """The workspace's index; None where there is none, or none that can be used.

    ``say`` hears why one is ignored; nothing is raised for what is only a cache.
    """
    where = workspace.at(CACHE)
    try:
        for path in index_files(workspace)[:1]:
            where = workspace.at(path)
            data = workspace.read(path)
            if index_path(data) != path:
                say(_ignored(where, "it is damaged or was cut short"))
                return None
            return _opened(data, where, say)
    except (StorageError, *_UNUSABLE) as error:
        say(_ignored(where, str(error)))
    return None


def _opened(data: bytes, where: str, say: Say) -> Index | None:
    names = pq.read_schema(pa.BufferReader(data)).names
    file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=names[len(_OWN_COLUMNS) :])
    about = json.loads((file.schema_arrow.metadata or {})[_METADATA])
    if about["format"] != FORMAT:
        say(_ignored(where, f"it has format {about['format']}, this program reads {FORMAT}"))
        return None
    return Index(file, about["categories"], where, say)


def _ignored(where: str, why: str) -> str:
    return (
        f"the ledger's index {where} is not used: {' '.join(why.split())[:200]}; results are read "
        f"from their files. python -m orchestrator.ledger index makes a new one"
    )


def _decode(
    table: pa.Table, stamps: Mapping[str, Stamp], shared: Shared
) -> Iterator[tuple[str, dict[str, Any]]]:
    keys = table["key"].to_pylist()
    listed = zip(keys, table["size"].to_pylist(), table["mtime_ns"].to_pylist())
    valid = [n for n, (key, *stamp) in enumerate(listed) if stamps.get(key) == Stamp(*stamp)]
    table = table.take(pa.array(valid, pa.int64()))
    texts = table["own"].to_pylist()
    names = table.column_names[len(_OWN_COLUMNS) :]
    common = [(name, _values(table[name], shared)) for name in names]
    for start in range(0, len(texts), _PARSED_AT_ONCE):
        part = texts[start : start + _PARSED_AT_ONCE]
        for row, result in enumerate(json.loads(f"[{','.join(part)}]"), start):
            for name, values in common:
                found = values[row]
                if found is not None:
                    result[name] = found.value
            yield keys[valid[row]], result


@dataclass(frozen=True, slots=True)
class _Part:
    """A part that a result has; its value may be None."""

    value: Any


def _values(column: pa.ChunkedArray, shared: Shared) -> list[_Part | None]:
    """Each row's part; None where the result has no such part."""
    values: list[_Part | None] = []
    for chunk in column.chunks:
        distinct = [None if t is None else _Part(shared.value(t)) for t in _texts(chunk)]
        values += [None if at is None else distinct[at] for at in chunk.indices.to_pylist()]
    return values


def _texts(chunk: pa.DictionaryArray) -> list[str | None]:
    texts: list[str | None] = chunk.dictionary.to_pylist()
    return texts


def encode(categories: Mapping[str, Callable[[], Sequence[Entry]]]) -> bytes:
    """The bytes of an index; equal entries give equal bytes.

    ``categories``: name -> gives its entries, asked for one category after the other so that no
    two are in memory at once.
    """
    about = {"format": FORMAT, "categories": list(categories)}
    schema = pa.schema(
        [*_OWN_COLUMNS.items(), *((name, pa.string()) for name in COMMON)],
        metadata={_METADATA: text_of(about).encode()},
    )
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for read in categories.values():
            table = _table(read(), schema)
            writer.write_table(table, row_group_size=max(1, len(table)))
    return bytes(sink.getvalue())


def _table(entries: Sequence[Entry], schema: pa.Schema) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    texts: dict[str, str] = {}
    for entry in entries:
        own = {name: value for name, value in entry.result.items() if name not in COMMON}
        columns["key"].append(entry.key)
        columns["size"].append(entry.stamp.size)
        columns["mtime_ns"].append(entry.stamp.mtime_ns)
        columns["own"].append(text_of(own))
        for name in COMMON:
            text = text_of(entry.result[name]) if name in entry.result else None
            columns[name].append(None if text is None else texts.setdefault(text, text))
    return pa.table(columns, schema=schema)
