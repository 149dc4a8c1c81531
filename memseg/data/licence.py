"""Under which licence a category's images are, as far as a file beside them says so."""

from __future__ import annotations

from dataclasses import dataclass

from memseg.errors import StorageDownError, StorageError
from memseg.storage import Folder

_BEGINNINGS = ("license", "licence", "readme")
"""In this order; upper and lower case alike."""
_LONGEST_LINE = 200


@dataclass(frozen=True)
class Licence:
    """What a licence file says of itself."""

    file: str
    """Relative to the data root."""
    first_line: str
    """Its first line that is not empty; "" where it cannot be read as text."""


def find_licence(root: Folder, category: str) -> Licence | None:
    """The licence file of a category, else of the whole data set; None where there is none.

    LICENSE*, LICENCE*, else README*. Raises StorageDownError where the storage is gone.
    """
    for folder in (category, ""):
        names = [file.path for file in root.files(folder)]
        for beginning in _BEGINNINGS:
            for path in names:
                if path.rpartition("/")[2].lower().startswith(beginning):
                    return Licence(path, _first_line(root, path))
    return None


def _first_line(root: Folder, path: str) -> str:
    try:
        text = root.read(path).decode()
    except StorageDownError:
        raise
    except (StorageError, UnicodeDecodeError):  # nothing to refuse a training for
        return ""
    lines = (" ".join(line.split()) for line in text.splitlines())
    line = next((line for line in lines if line), "")
    return "".join(c for c in line if c.isprintable())[:_LONGEST_LINE]
