"""Places that a person names for an export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from memseg.errors import SettingError
from memseg.storage import check_text


def is_there(path: Path, asked: Callable[[Path], bool]) -> bool:
    """What ``asked`` (``Path.exists``, ``Path.is_dir``) says of ``--out``.

    Raises SettingError for a place that cannot even be looked at: a name that is too long, a folder
    without the right to enter.
    """
    try:
        return asked(Path(check_text(str(path))))
    except OSError as error:
        raise SettingError(f"--out {path} cannot be used: {error.strerror or error}") from error
