"""Which trials are still to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.ledger.kinds import kind
from orchestrator.ledger.ledger import Done, Failed, Pruned, Record
from orchestrator.planning.trial import Trial


def pending(
    trials: Iterable[Trial],
    records: Mapping[str, Record],
    *,
    retry: bool = False,
    pruning: bool = False,
) -> list[Trial]:
    """The trials to run, in their order: those without a record, and failures worth another try.

    ``records``: of ``read_records``. Lost, out-of-memory, storage and bug failures are tried
    again, data and configuration failures only with ``retry``. What successive halving stopped
    stays so where the sweep is ``pruning``; where it is not it goes on, from its checkpoint if that
    was kept.
    """
    return [t for t in trials if _to_do(records.get(t.key), retry, pruning)]


def _to_do(record: Record | None, retry: bool, pruning: bool) -> bool:
    if isinstance(record, Done):
        return False
    if isinstance(record, Pruned):
        return not pruning
    if isinstance(record, Failed):
        return retry or not kind(record.failure.get("kind")).final
    return True
