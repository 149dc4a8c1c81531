"""Whether the storages that a sweep lives on are still there."""

from __future__ import annotations

import time
from collections.abc import Callable

from memseg.errors import StorageDownError, StorageError
from memseg.storage import open_folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.running.sources import Sources

HOLDS_S = 60.0
"""So long an answer counts: hundreds of trials may meet one error at the same time."""


class StorageCheck:
    """Asked after a trial's storage error: else each further trial would meet the same, in turn."""

    def __init__(
        self,
        ledger: Ledger,
        sources: Sources,
        clock: Callable[[], float] = time.monotonic,
        marker: str | None = None,
    ) -> None:
        """``marker``: a file that is in the workspace for as long as it is the same one."""
        self._ledger, self._sources, self._clock = ledger, sources, clock
        self._marker = marker
        self._well_until = -1.0

    def __call__(self) -> None:
        """Raises StorageDownError where the workspace is gone or full, or images or textures are
        gone; StorageError where the workspace cannot be written for another reason."""
        if self._clock() < self._well_until:
            return
        workspace = self._ledger.workspace
        if self._marker is not None and not workspace.exists(self._marker):
            raise StorageDownError(
                f"the workspace {workspace.path} is another one than at the start: is its disk "
                "mounted?"
            )
        self._ledger.check_writable()
        _check_there("the data root", self._sources.root)
        if self._sources.textures:
            _check_there("the folder of textures", self._sources.textures)
        self._well_until = self._clock() + HOLDS_S


def _check_there(what: str, location: str) -> None:
    try:
        folder = open_folder(location)
        there = bool(folder.folders() or folder.files())
    except StorageDownError:
        raise
    except StorageError as error:
        raise StorageDownError(f"{what}: {error}") from error
    if not there:  # what is left of a disk that is not mounted any more
        raise StorageDownError(f"{what} {location} is gone or empty: is its disk mounted?")
