"""Writes a change of a category's aliases: its history first, ``aliases.json`` last.

Which of two changes at the same moment wins: on a local file system they are made one after the
other, so the later one, on top of the earlier. On an object store, and on a network file system
without locks, the one whose aliases.json is written last; one that sees the other before it
writes gives way with an error. In each case history keeps both.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from memseg.errors import RegistryError, StorageError
from memseg.storage import Folder
from memseg.versions.aliases import Aliases, read_aliases
from memseg.versions.layout import ALIASES, HISTORY, MANIFEST, VERSIONS
from orchestrator.registry.history import Change

PATIENCE_S = 60.0
"""How long a change waits for another one of the same category."""
_POLL_S = 0.05


def write_change(folder: Folder, change: Change) -> Aliases:
    """Makes a change in a category's folder; returns the aliases as they are now.

    Raises RegistryError where the aliases are not any more those that it was decided upon, and
    where a version that it names was deleted meanwhile: then they are as before.
    """
    name = change.name
    after = Aliases(change.after.champion, change.after.challenger, name)
    folder.write(f"{HISTORY}/{name}", change.to_bytes())
    _check_unchanged(folder, change.before)
    folder.write(ALIASES, after.to_bytes())
    _check_there(folder, change.before, after)
    return after


def _check_unchanged(folder: Folder, before: Aliases) -> None:
    found = read_aliases(folder)
    # The change that was decided upon may be the newest in history, where aliases.json names none.
    expected = {Aliases(before.champion, before.challenger), before}
    if found not in expected:
        raise RegistryError(
            f"{folder.at(ALIASES)} was changed by somebody else at the same moment and stays as "
            f"it is now (champion {found.champion}): look at it, and run the command again"
        )


def _check_there(folder: Folder, before: Aliases, after: Aliases) -> None:
    """Takes a change back that names a version which gc deleted while it was made."""
    named = (version for version in (after.champion, after.challenger) if version)
    gone = [v for v in named if before.of(v) == "" and not folder.exists(_manifest(v))]
    if not gone:
        return
    if read_aliases(folder) == after:
        if before.champion is None:
            folder.delete(ALIASES)
        else:
            folder.write(ALIASES, before.to_bytes())
    raise RegistryError(
        f"version {gone[0]} in {folder.path} was deleted at the same moment: the aliases are as "
        f"before, choose another version"
    )


def _manifest(version: str) -> str:
    return f"{VERSIONS}/{version}/{MANIFEST}"


@contextlib.contextmanager
def one_at_a_time(folder: Folder) -> Iterator[None]:
    """Holds a category's folder against other changes where it is on a local file system.

    A lock of the operating system, on the folder itself: it leaves no file, and a killed process
    holds none. Only a comfort, the order of writing is what correctness rests on. Raises
    RegistryError when somebody else holds it for too long.
    """
    if not folder.is_local or not folder.exists():
        yield
        return
    try:
        descriptor = os.open(folder.path, os.O_RDONLY)
    except OSError as error:
        raise StorageError(f"cannot open {folder.path}: {error}") from error
    try:
        _lock(descriptor, folder.path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, where: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise RegistryError(
                    f"another process has been changing {where} for {PATIENCE_S:.0f} s: see what "
                    f"it does, then run the command again"
                ) from None
            time.sleep(_POLL_S)
        except OSError:  # NFS without locks
            return
        else:
            return
