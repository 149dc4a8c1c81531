"""Reads the records of many trials: from the index where it is right, else from their files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from orchestrator.ledger.index import Index, open_index
from orchestrator.ledger.ledger import Done, Ledger, Record
from orchestrator.ledger.listing import list_records
from orchestrator.ledger.sharing import Shared
from orchestrator.planning.trial import Trial

_READERS = 8
"""Threads that read records: object stores answer slowly, but many at once."""
_AT_ONCE = 32
"""Records that a thread reads before it asks for more."""
_MANY = 20_000
"""Results that are read from their files before an index is recommended."""


def _silent(message: str) -> None:
    pass


def read_records(
    ledger: Ledger, trials: Iterable[Trial], say: Callable[[str], None] = _silent
) -> dict[str, Record]:
    """Key -> record of each of the trials of which something is known.

    A listing of each category's folder says what there is; the index saves opening files, and
    what it holds is never believed against the listing. ``say`` hears of an index that cannot
    be used. Parts that results have in common are one object: nobody may change them. Raises
    StorageError.
    """
    by_category: dict[str, list[str]] = defaultdict(list)
    for trial in trials:
        by_category[trial.category].append(trial.key)
    index, shared = open_index(ledger.workspace, say), Shared()
    records: dict[str, Record] = {}
    opened = 0
    with ThreadPoolExecutor(_READERS) as pool:
        for category, keys in by_category.items():
            indexed, left = _split(ledger, category, keys, index, shared)
            records.update(indexed)
            records.update(_read(ledger, category, left, shared, pool))
            opened += len(left)
    if opened >= _MANY:
        say(
            f"{opened} records were read from their files; an index makes that faster: "
            f"python -m orchestrator.ledger index --workspace {ledger.workspace.path}"
        )
    return records


def _split(
    ledger: Ledger, category: str, keys: Iterable[str], index: Index | None, shared: Shared
) -> tuple[Mapping[str, Record], Sequence[str]]:
    """The records that the index holds rightly, and the keys of those to read from files."""
    listed = list_records(ledger.workspace, category)
    present = [key for key in dict.fromkeys(keys) if key in listed]
    if index is None:
        return {}, present
    stamps = {key: stamp for key in present if (stamp := listed[key]) is not None}
    found = index.results(category, stamps, shared)
    return (
        {key: Done(result) for key, result in found.items()},
        [key for key in present if key not in found],
    )


def _read(
    ledger: Ledger, category: str, keys: Sequence[str], shared: Shared, pool: ThreadPoolExecutor
) -> Mapping[str, Record]:
    def read(part: Sequence[str]) -> list[tuple[str, Record | None]]:
        return [(key, _slim(ledger.record(category, key), shared)) for key in part]

    parts = [keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE)]
    # Removed or made while we read: None is what the ledger says then, too.
    return {
        key: record for part in pool.map(read, parts) for key, record in part if record is not None
    }


def _slim(record: Record | None, shared: Shared) -> Record | None:
    return Done(shared.result(record.result)) if isinstance(record, Done) else record
