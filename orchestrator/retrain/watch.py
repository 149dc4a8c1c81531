"""Looks again and again: product lines that appear, settle, and are trained in batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from memseg.data.layouts import LayoutConfig, discover_categories
from memseg.errors import EmptyDataError, MemSegError, StorageError
from memseg.storage import Folder
from orchestrator.retrain.settling import Seen, Snapshot, Tried, after_a_loss, due, look, settled

Train = Callable[[tuple[str, ...]], Collection[str]]
"""Trains these categories; returns those whose training was lost, to be tried again."""
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
    only: Collection[str] = (),
) -> None:
    """Until ``wait`` says that it is the end, or a look is interrupted: nothing is under way then.

    A category is handed to ``train`` when it holds still for ``still_s``, and not again before
    something in it changes. What was lost, or all of a batch that ended in an error, is handed to
    it again after a pause that grows. An error is said, the next look is made. ``only``: no other
    categories than these, () for all.
    """
    seen: dict[str, Seen] = {}
    tried: dict[str, Tried] = {}
    said = ""
    while True:
        try:
            seen = look(seen, snapshots(root, layout, only), clock())
            said = ""
        except KeyboardInterrupt:
            return
        except MemSegError as error:
            if str(error) != said:  # a folder that is gone for a night is said once
                say(f"error: {error}; looks again every {every_s:g} s")
            said = str(error)
        else:
            now = clock()
            still = {name: seen[name].snapshot for name in settled(seen, now, still_s)}
            ready = tuple(name for name, s in still.items() if due(tried.get(name), s, now))
            lost = _train(train, ready, say) if ready else ()
            for name in ready:
                tried[name] = (
                    after_a_loss(tried.get(name), still[name], clock(), every_s)
                    if name in lost
                    else Tried(still[name])
                )
            for name in lost:
                say(f"{name}: is tried again in {tried[name].pause:g} s")
        if wait(every_s):
            return


def _train(train: Train, ready: tuple[str, ...], say: Say) -> Collection[str]:
    try:
        return train(ready)
    except MemSegError as error:
        say(f"error: {error}")
        return ready


def snapshots(
    root: Folder, layout: LayoutConfig, only: Collection[str] = ()
) -> dict[str, Snapshot]:
    """Category -> its files as they are now, of all or ``only`` of these.

    Raises StorageError where the root is gone.
    """
    if not root.is_folder():
        raise StorageError(f"the data root {root.path} is gone")
    try:
        names = discover_categories(root, layout)
    except EmptyDataError:
        return {}
    return {
        name: tuple(sorted((f.path, f.size, f.mtime_ns) for f in root.files(name, recursive=True)))
        for name in names
        if not only or name in only
    }


def wait(seconds: float) -> bool:
    """Whether it was interrupted; nothing is under way then, so that this is a clean end."""
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        return True
    return False
