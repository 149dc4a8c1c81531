"""How the registry lies on disk, and how its two small files are written and read.

registry/<category>/aliases.json                 {"champion": "<id>"}
registry/<category>/versions/<id>/manifest.json  written last: without it there is no version
registry/<category>/versions/<id>/...            what the manifest lists, never changed

A version's own files are those of memseg.versions: who predicts reads them without this package.
"""

from __future__ import annotations

from typing import Any

from memseg.errors import RegistryError
from memseg.versions.manifest import (
    FORMAT,
    MANIFEST,
    REQUIRED,
    VERSIONS,
    Manifest,
    Sum,
    check_file_name,
    check_id,
    is_unfinished,
    json_bytes,
    parse_manifest,
    sum_of,
)
from memseg.versions.manifest import ID as _ID

__all__ = [
    "ALIASES", "CHAMPION", "FORMAT", "MANIFEST", "REQUIRED", "VERSIONS", "Manifest", "Sum",
    "check_file_name", "check_id", "is_unfinished", "json_bytes", "parse_aliases",
    "parse_manifest", "sum_of",
]  # fmt: skip

ALIASES = "aliases.json"
CHAMPION = "champion"


def parse_aliases(value: Any, where: str) -> str:
    """The champion's id. Raises RegistryError naming ``where``."""
    champion = value.get(CHAMPION) if isinstance(value, dict) else None
    if not isinstance(champion, str) or not _ID.fullmatch(champion):
        raise RegistryError(f"{where} is damaged: it names no champion")
    return champion
