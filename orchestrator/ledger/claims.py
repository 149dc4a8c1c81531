"""Claims: who works at a trial now, so that two sweeps over one workspace share the work.

Only a saving. Names by content and a last file that commits keep a trial right when two sweeps do
it at once; a claim keeps them from paying twice. It lapses unless it is renewed, so that what a
killed sweep held is free after a while. Only where files can be made if absent: on a disk or
NFS, not on an object store.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from memseg.errors import StorageError
from memseg.storage import Folder
from orchestrator.ledger.ledger import Ledger

CLAIM = "claim.json"
LAPSES_S = 60.0
"""A claim that was not renewed for so long is free. Clocks of machines must agree to seconds."""
POLL_S = 5.0
"""How often a claim of another sweep is looked at again."""


@dataclass(frozen=True)
class Claim:
    """What a claim file says."""

    owner: str
    until: float
    """Seconds since 1970."""


def is_free(found: Claim | None, owner: str, now: float) -> bool:
    """Whether ``owner`` may take a trial that has this claim."""
    return found is None or found.owner == owner or found.until <= now


class Claims:
    """The claims of one sweep's run. ``owner`` is no host and no process, only its own."""

    def __init__(self, ledger: Ledger, owner: str, clock: Callable[[], float] = time.time) -> None:
        self._ledger, self._owner, self._clock = ledger, owner, clock

    def take(self, category: str, key: str) -> bool:
        """Whether the trial is this sweep's now. True where there are no claims at all.

        Raises StorageError, StorageDownError where the disk is full or does not answer.
        """
        folder = self._ledger.trial_folder(category, key)
        if not folder.is_local:
            return True
        if folder.create(CLAIM, self._bytes()):
            return True
        if not is_free(self._read(folder), self._owner, self._clock()):
            return False
        folder.write(CLAIM, self._bytes())
        found = self._read(folder)  # of two that take at once the last one has it
        return found is not None and found.owner == self._owner

    def release(self, category: str, key: str) -> None:
        """Gives the trial up, where it is still this sweep's. Raises StorageError."""
        folder = self._ledger.trial_folder(category, key)
        if folder.is_local and self._is_own(folder):
            folder.delete(CLAIM)

    @contextlib.contextmanager
    def kept(self, category: str, key: str) -> Iterator[None]:
        """Renews a claim that was taken for as long as the block runs, then releases it."""
        folder = self._ledger.trial_folder(category, key)
        if not folder.is_local:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._renew, args=(folder, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            with contextlib.suppress(StorageError):  # it lapses by itself
                self.release(category, key)

    def _renew(self, folder: Folder, ended: threading.Event) -> None:
        while not ended.wait(LAPSES_S / 3):
            with contextlib.suppress(StorageError):  # only a saving
                if not self._is_own(folder):
                    return
                folder.write(CLAIM, self._bytes())

    def _is_own(self, folder: Folder) -> bool:
        found = self._read(folder)
        return found is not None and found.owner == self._owner

    def _bytes(self) -> bytes:
        return json.dumps({"owner": self._owner, "until": self._clock() + LAPSES_S}).encode()

    def _read(self, folder: Folder) -> Claim | None:
        """The claim; one that cannot be read is somebody's for a moment: it is just being made."""
        try:
            found = json.loads(folder.read(CLAIM))
            return Claim(str(found["owner"]), float(found["until"]))
        except (ValueError, KeyError, TypeError):
            changed = {info.path: info.mtime_ns / 1e9 for info in folder.files()}.get(CLAIM)
            return None if changed is None else Claim("", changed + LAPSES_S)
        except StorageError:
            if folder.exists(CLAIM):
                raise
            return None  # released between the question and the answer
