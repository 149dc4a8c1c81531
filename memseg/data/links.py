"""Links that a listing of a folder makes something wrong of, without a word.

A link to a file that is not there is left out: so do git-annex and DVC name what was not fetched,
and a disk that is not mounted. A link to a folder above is followed until the system gives up:
each file counts some forty times.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from memseg.errors import StorageError


@dataclass(frozen=True)
class BadLinks:
    """Paths below the folder that was looked through, relative to it and sorted."""

    broken: tuple[str, ...] = ()
    """To nothing."""
    upward: tuple[str, ...] = ()
    """To a folder that they lie in."""


def bad_links(path: str) -> BadLinks:
    """What is found below the local folder ``path``; nothing where it is none.

    Raises StorageError for the name of such a link that is not UTF-8.
    """
    broken: list[str] = []
    upward: list[str] = []
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [(path, frozenset())]
    while waiting:
        place, above = waiting.pop()
        try:
            status = os.stat(place)
            with os.scandir(place) as entries:
                inside = list(entries)
        except OSError:
            continue  # what cannot be listed is told by who lists the files
        this = (status.st_dev, status.st_ino)
        if this in above:
            upward.append(_name(place, path))
            continue
        if this in seen:
            continue  # another link to a folder that was looked through
        seen.add(this)
        for entry in inside:
            if entry.is_symlink() and not os.path.exists(entry.path):
                broken.append(_name(entry.path, path))
            elif entry.is_dir():
                waiting.append((entry.path, above | {this}))
    return BadLinks(tuple(sorted(broken)), tuple(sorted(upward)))


def _name(link: str, below: str) -> str:
    name = os.path.relpath(link, below)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise StorageError(
            f"a link below {below} has a name that is not UTF-8 ({os.fsencode(name)!r}), and leads "
            "to nothing or to a folder above it: remove it"
        ) from error
    return name
