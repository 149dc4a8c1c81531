"""``aliases.json``: which versions of a category have a name.

``{"format": 1, "champion": "<id>", "challenger": "<id>", "change": "<file in history/>"}``. Only
the champion must be there: registries of earlier programs name nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from memseg.errors import RegistryError
from memseg.storage import Folder
from memseg.versions.layout import ALIASES, FORMAT, check_format, is_id, json_bytes

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class Aliases:
    """A category's aliases."""

    champion: str | None = None
    """Id of the version that products are judged with; None where nothing was published yet."""
    challenger: str | None = None
    """Id of the version that may replace it."""
    change: str | None = None
    """The file in history/ that made it so; None where an earlier program did."""

    def of(self, version: str) -> str:
        """The version's alias, "" where it has none."""
        names = {self.champion: CHAMPION, self.challenger: CHALLENGER}
        return names.get(version, "")

    def to_json(self) -> dict[str, Any]:
        """For aliases.json; what is None is left out."""
        return {"format": FORMAT, **{n: v for n, v in vars(self).items() if v is not None}}

    def to_bytes(self) -> bytes:
        """The one way to write it."""
        return json_bytes(self.to_json())


def parse_aliases(data: bytes, where: str) -> Aliases:
    """aliases.json, checked. Raises RegistryError naming ``where``."""
    try:
        value = json.loads(data)
    except ValueError as error:
        raise RegistryError(f"{where} is damaged: {error}; {_REPAIR}") from error
    check_format(value, where)
    if not isinstance(value, dict):
        raise RegistryError(f"{where} is damaged: it names no champion; {_REPAIR}")
    champion, challenger, change = (value.get(n) for n in (CHAMPION, CHALLENGER, "change"))
    if not isinstance(champion, str) or not is_id(champion):
        raise RegistryError(f"{where} is damaged: it names no champion; {_REPAIR}")
    if challenger is not None and not (isinstance(challenger, str) and is_id(challenger)):
        raise RegistryError(f"{where} is damaged: its challenger is no version; {_REPAIR}")
    if change is not None and not isinstance(change, str):
        raise RegistryError(f"{where} is damaged: its change is no file of history; {_REPAIR}")
    return Aliases(champion, challenger, change)


_REPAIR = (
    "look into history/ which version it should be, delete the file, and promote that version; "
    "until then there is no champion"
)


def read_aliases(folder: Folder) -> Aliases:
    """The aliases in a category's folder; none where there is no file.

    Raises RegistryError for a damaged one, StorageError.
    """
    if not folder.exists(ALIASES):
        return Aliases()
    return parse_aliases(folder.read(ALIASES), folder.at(ALIASES))
