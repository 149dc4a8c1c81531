"""One retraining at a time over a workspace.

On a file system a lock of the operating system: a killed process holds none. On an object store,
which has no locks, a small file with an expiry that is renewed: it keeps a second command from
starting, but not two that start in the same second, which then do work twice and nothing wrong
(versions and trials are named by content).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from memseg.errors import SettingError, StorageError
from memseg.storage import Folder

LOCK = "retrain.lock"
LAPSES_S = 120.0


@contextlib.contextmanager
def only_one(workspace: Folder) -> Iterator[None]:
    """Holds the workspace for the block. Raises SettingError where another one holds it."""
    with _locked(workspace) if workspace.is_local else _claimed(workspace):
        yield


def _refused(workspace: Folder) -> SettingError:
    return SettingError(
        f"another orchestrator.retrain runs over the workspace {workspace.path}: wait for its end, "
        "or give another --workspace"
    )


@contextlib.contextmanager
def _locked(workspace: Folder) -> Iterator[None]:
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
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _claimed(workspace: Folder) -> Iterator[None]:
    owner, ended = secrets.token_hex(8), threading.Event()
    holder = _holder(workspace)
    if holder is not None and holder != owner:
        raise _refused(workspace)
    _write(workspace, owner)
    if _holder(workspace) != owner:
        raise _refused(workspace)
    thread = threading.Thread(target=_renew, args=(workspace, owner, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with contextlib.suppress(StorageError):  # it lapses by itself
            if _holder(workspace) == owner:
                workspace.delete(LOCK)


def _renew(workspace: Folder, owner: str, ended: threading.Event) -> None:
    while not ended.wait(LAPSES_S / 4):
        with contextlib.suppress(StorageError):
            _write(workspace, owner)


def _write(workspace: Folder, owner: str) -> None:
    workspace.write_json(LOCK, {"owner": owner, "until": time.time() + LAPSES_S})


def _holder(workspace: Folder) -> str | None:
    """Who holds it now; nobody where the file is absent, lapsed or damaged."""
    if not workspace.exists(LOCK):
        return None
    try:
        value = json.loads(workspace.read(LOCK))
        return str(value["owner"]) if float(value["until"]) > time.time() else None
    except (ValueError, KeyError, TypeError):
        return None
