"""Which names a category may have: they become folder names, run names and table rows."""

from __future__ import annotations

import unicodedata

from memseg.errors import DataError

MAX_CHARACTERS = 100
MAX_BYTES = 200
"""In UTF-8: a trial's name and a temporary ending must still fit into a file name of 255."""


def check_category_name(name: str) -> str:
    """The name itself. "01" and "no" are names like any other.

    Raises DataError for a name that is empty, too long, could leave its folder ("..", "a/b"),
    would be hidden (".a"), could be taken for an option ("-a"), or has control characters or
    white space at its ends.
    """
    reason = _objection(name)
    if reason:
        raise DataError(f"category name {name!r} {reason}: rename its folder")
    return name


def _objection(name: str) -> str | None:
    if not name:
        return "is empty"
    if name in (".", ".."):
        return "is not a folder of its own"
    if "/" in name or "\\" in name:
        return "has a path separator in it"
    if name[0] in ".-":
        return f"begins with {name[0]!r}"
    if name != name.strip():
        return "begins or ends with white space"
    if any(unicodedata.category(character).startswith("C") for character in name):
        return "has a control character in it"
    if len(name) > MAX_CHARACTERS:
        return f"has {len(name)} characters, at most {MAX_CHARACTERS} are allowed"
    length = len(name.encode())
    if length > MAX_BYTES:
        return f"takes {length} bytes in UTF-8, at most {MAX_BYTES} are allowed"
    return None
