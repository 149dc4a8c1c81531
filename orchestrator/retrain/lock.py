"""One retraining at a time over a workspace.

On a file system a lock of the operating system: a killed process holds none. On an object store,
which has no locks, a small file with an expiry that is renewed: it keeps a second command from
starting, but not two that start in the same second, which then do work twice and nothing wrong
(versions and trials are named by content). One that could not renew it for long, and finds
another's, is told so.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from memseg.errors import SettingError, StorageError
from memseg.storage import Folder
from orchestrator.ledger.claims import Claim

LOCK = "retrain.lock"
LAPSES_S = 120.0
RENEWS_S, POLL_S = LAPSES_S / 4, 5.0


@contextlib.contextmanager
def only_one(
    workspace: Folder, say: Callable[[str], None] = lambda _: None
) -> Iterator[Callable[[], bool]]:
    """Holds the workspace for the block; yields a question: whether it is held still.

    Raises SettingError where another one holds it. On an object store one that was killed a moment
    ago looks like one that runs: that is waited for, and said.
    """
    with _locked(workspace) if workspace.is_local else _claimed(workspace, say) as held:
        yield held


def _refused(workspace: Folder) -> SettingError:
    return SettingError(
        f"another orchestrator.retrain runs over the workspace {workspace.path}: wait for its end, "
        "or give another --workspace"
    )


@contextlib.contextmanager
def _locked(workspace: Folder) -> Iterator[Callable[[], bool]]:
    path = Path(workspace.at(LOCK))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise _refused(workspace) from None
    except OSError as error:
        os.close(descriptor)
        raise StorageError(
            f"{path} cannot be locked ({error}): is it on NFS without locks?"
        ) from error
    try:
        yield lambda: True
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _claimed(workspace: Folder, say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    owner, ended, lost = secrets.token_hex(8), threading.Event(), threading.Event()
    _wait_until_free(workspace, say)
    renew(workspace, owner)
    if not _is_of(workspace, owner):
        raise _refused(workspace)

    def keep() -> None:
        while not ended.wait(RENEWS_S):
            with contextlib.suppress(StorageError):
                if not renew(workspace, owner):
                    lost.set()
                    return

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield lambda: not lost.is_set()
    finally:
        ended.set()
        thread.join()
        with contextlib.suppress(StorageError):  # it lapses by itself
            if _is_of(workspace, owner):
                workspace.delete(LOCK)


def renew(workspace: Folder, owner: str) -> bool:
    """Claims the object store's workspace for a while; False where it is another's meanwhile."""
    found = _claim(workspace)
    if found is not None and found.owner != owner:
        return False
    workspace.write_json(LOCK, {"owner": owner, "until": time.time() + LAPSES_S})
    return True


def _wait_until_free(workspace: Folder, say: Callable[[str], None]) -> None:
    found = _claim(workspace)
    if found is None:
        return
    say(
        "another orchestrator.retrain runs over the workspace, or was killed in the last "
        f"{LAPSES_S:.0f} s: waits to see which"
    )
    while time.time() < found.until:
        time.sleep(POLL_S)
        now = _claim(workspace)
        if now is None:
            return
        if now != found:
            raise _refused(workspace)


def _is_of(workspace: Folder, owner: str) -> bool:
    found = _claim(workspace)
    return found is not None and found.owner == owner


def _claim(workspace: Folder) -> Claim | None:
    """Who holds it now; nobody where the file is absent, lapsed or damaged."""
    if not workspace.exists(LOCK):
        return None
    try:
        value = json.loads(workspace.read(LOCK))
        claim = Claim(str(value["owner"]), float(value["until"]))
    except (ValueError, KeyError, TypeError):
        return None
    return claim if claim.until > time.time() else None
