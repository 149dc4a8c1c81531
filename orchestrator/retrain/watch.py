"""Looks again and again: product lines that appear, settle, and are trained in batches."""

from __future__ import annotations

import time
from collections.abc import Callable

from memseg.data.layouts import LayoutConfig, discover_categories
from memseg.errors import EmptyDataError, MemSegError, StorageError
from memseg.storage import Folder
from orchestrator.retrain.settling import Seen, Snapshot, look, settled

Train = Callable[[tuple[str, ...]], bool]
"""Trains these categories; returns whether nothing is left to be tried again."""
Say = Callable[[str], None]


def watch(
    root: Folder,
    layout: LayoutConfig,
    every_s: float,
    still_s: float,
    train: Train,
    say: Say,
    wait: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Until ``wait`` says that it is the end, or a look is interrupted: nothing is under way then.

    An error of one look is said, the next is made.

    A category is handed to ``train`` when it holds still for ``still_s``, and not again before
    something in it changes, or where ``train`` said that it is to be tried again.
    """
    seen: dict[str, Seen] = {}
    done: dict[str, Snapshot] = {}
    said = ""
    while True:
        try:
            try:
                now = snapshots(root, layout)
            except KeyboardInterrupt:
                return
            seen = look(seen, now, clock())
            ready = [n for n in settled(seen, clock(), still_s) if done.get(n) != seen[n].snapshot]
            if ready:
                taken = {name: seen[name].snapshot for name in ready}
                if train(tuple(ready)):
                    done.update(taken)
            said = ""
        except MemSegError as error:
            if str(error) != said:  # a folder that is gone for a night is said once
                say(f"error: {error}; looks again every {every_s:g} s")
            said = str(error)
        if wait(every_s):
            return


def snapshots(root: Folder, layout: LayoutConfig) -> dict[str, Snapshot]:
    """Category -> its files as they are now. Raises StorageError where the root is gone."""
    if not root.is_folder():
        raise StorageError(f"the data root {root.path} is gone")
    try:
        names = discover_categories(root, layout)
    except EmptyDataError:
        return {}
    return {
        name: tuple(sorted((f.path, f.size, f.mtime_ns) for f in root.files(name, recursive=True)))
        for name in names
    }


def wait(seconds: float) -> bool:
    """Whether it was interrupted; nothing is under way then, so that this is a clean end."""
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        return True
    return False
