"""Links to files that are not there: a listing leaves them out without a word.

So do git-annex and DVC name what was not fetched, and a disk that is not mounted.
"""

from __future__ import annotations

import os


def broken_links(path: str) -> list[str]:
    """Paths below the local folder ``path``, relative to it and sorted; [] where it is none."""
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    waiting = [path]
    while waiting:
        place = waiting.pop()
        try:
            status = os.stat(place)
            with os.scandir(place) as entries:
                inside = list(entries)
        except OSError:
            continue  # what cannot be listed is told by who lists the files
        if (status.st_dev, status.st_ino) in seen:
            continue  # a link to a folder above
        seen.add((status.st_dev, status.st_ino))
        for entry in inside:
            if entry.is_symlink() and not os.path.exists(entry.path):
                found.append(os.path.relpath(entry.path, path))
            elif entry.is_dir():
                waiting.append(entry.path)
    return sorted(found)
