"""What happened during a sweep, a JSON object a line: ``sweeps/<name>/events.jsonl``.

For people and for the table of failures; what is done is said by the ledger alone. Where files
can be appended to, all runs of a sweep share one file, also two at the same time. An object store
cannot append: there a run puts what is new now and then, ``events/<run>-<number>.jsonl``.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from memseg.storage import Folder

EVENTS, RUNS = "events.jsonl", "events"
PUT_EVERY_S = 30.0
"""On an object store: ordinary events wait for so long; failures and the end do not."""

_READERS = 8

EventRecord = Mapping[str, Any]


class EventLog:
    """Writes the events of one run of a sweep."""

    def __init__(
        self,
        folder: Folder,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``folder``: of the sweep. ``now`` dates events, ``clock`` paces writing."""
        self._folder, self._now, self._clock = folder, now, clock
        self.run = f"{now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        self._lines: list[bytes] = []
        self._put = 0
        self._put_at = clock()
        if folder.is_local and folder.exists(EVENTS) and not folder.read(EVENTS).endswith(b"\n"):
            folder.append(EVENTS, b"\n")  # after a line that a full disk left half

    def write(self, kind: str, *, urgent: bool = False, **values: Any) -> None:
        """Adds one event; empty values are left out. Raises StorageError."""
        known = {name: value for name, value in values.items() if value not in (None, "", {})}
        at = self._now().isoformat(timespec="milliseconds")
        record = {"at": at, "run": self.run, "event": kind, **known}
        line = json.dumps(record, ensure_ascii=False, sort_keys=False).encode() + b"\n"
        if self._folder.is_local:
            self._folder.append(EVENTS, line)
            return
        self._lines.append(line)
        if urgent or self._clock() - self._put_at >= PUT_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Puts what waits. Raises StorageError."""
        if not self._lines:
            return
        # A file for each time, and not one that grows: a sweep of many trials would put all of
        # its lines again for each of them.
        self._folder.write(f"{RUNS}/{self.run}-{self._put:06d}.jsonl", b"".join(self._lines))
        self._put += 1
        self._lines.clear()
        self._put_at = self._clock()


def read_events(folder: Folder) -> list[EventRecord]:
    """All events of a sweep's runs, oldest first; lines that a killed process left half are not.

    Raises StorageError.
    """
    names = [EVENTS] if folder.exists(EVENTS) else []
    names += [info.path for info in folder.files(RUNS) if info.path.endswith(".jsonl")]
    with ThreadPoolExecutor(_READERS) as pool:
        texts = pool.map(folder.read, names)
    records = [r for text in texts for line in text.splitlines() if (r := _read(line))]
    return sorted(records, key=lambda record: str(record.get("at", "")))


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
