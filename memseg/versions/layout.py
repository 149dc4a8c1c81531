"""How the registry lies on disk, and how a version's manifest is written and read.

registry/<category>/aliases.json                 which versions have a name, see aliases
registry/<category>/history/<time>-<hash>.json   one file a change of an alias, see
                                                 orchestrator.registry.history
registry/<category>/versions/<id>/manifest.json  written last: without it there is no version
registry/<category>/versions/<id>/...            what the manifest lists, never changed
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memseg.errors import RegistryError

FORMAT = 1
"""Of the registry's JSON files; raised when an older program could not read them."""
ALIASES, HISTORY, VERSIONS, MANIFEST = "aliases.json", "history", "versions", "manifest.json"
MODEL = "model.safetensors"

REQUIRED = (
    MODEL, "config.json", "preprocessing.json", "thresholds.json", "metrics.json",
    "provenance.json", "MODEL_CARD.md",
)  # fmt: skip
"""Every version has at least these."""

_ID = re.compile(r"[0-9a-z]{4,64}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_SUM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Sum:
    """What a file must be."""

    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Manifest:
    """What a version consists of."""

    category: str
    version: str
    files: Mapping[str, Sum]
    """File name -> what it must be; the manifest itself is not in it."""

    def to_bytes(self) -> bytes:
        """The one way to write it: equal manifests are equal bytes."""
        value = {
            "format": FORMAT,
            "category": self.category,
            "version": self.version,
            "files": {n: {"sha256": s.sha256, "size": s.size} for n, s in self.files.items()},
        }
        return json_bytes(value)


def json_bytes(value: Any) -> bytes:
    """JSON for people and machines: equal values are equal bytes. Raises RegistryError for NaN."""
    try:
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise RegistryError(f"a number that is not finite cannot be published: {error}") from error
    return (text + "\n").encode()


def sum_of(data: bytes) -> Sum:
    """sha256 and size of a file's bytes."""
    return Sum(hashlib.sha256(data).hexdigest(), len(data))


def check_id(version: str) -> str:
    """The id itself. Raises RegistryError for what could not be a trial's key."""
    if not is_id(version):
        raise RegistryError(f"{version!r} is not a version: 4 to 64 of 0-9 and a-z")
    return version


def check_file_name(name: str) -> str:
    """The name itself. Raises RegistryError for names that are hidden or leave the folder."""
    if not _FILE.fullmatch(name) or name == MANIFEST:
        raise RegistryError(f"{name!r} cannot be a file of a version")
    return name


def is_id(version: str) -> bool:
    """Whether it could be a trial's key."""
    return bool(_ID.fullmatch(version))


def check_format(value: Any, where: str) -> None:
    """Raises RegistryError for a file that a newer program wrote. No format is the first."""
    found = value.get("format", FORMAT) if isinstance(value, dict) else FORMAT
    if found != FORMAT:
        raise RegistryError(
            f"{where} has format {found!r}, this program reads {FORMAT}: it was written by a "
            f"newer version of this program, use that one; nothing was changed"
        )


def is_unfinished(path: str) -> bool:
    """Whether it is a file that a local write has not renamed yet (memseg.storage).

    Nobody reads one; it may be another publisher's at this moment, so nobody deletes it either.
    """
    name = path.rpartition("/")[2]
    return name.startswith(".") and name.endswith(".part")


def parse_manifest(
    data: bytes, where: str, category: str | None = None, version: str | None = None
) -> Manifest:
    """A manifest's bytes, checked to the last one. Raises RegistryError naming ``where``.

    ``category`` and ``version``: whose it must be; None where a version was copied out of its
    registry and only the manifest itself can say.
    """
    try:
        value = json.loads(data)
        check_format(value, where)  # first: a newer file may have other parts
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{where} is damaged: {error!r}") from error
    try:
        files = {
            check_file_name(name): Sum(str(entry["sha256"]), int(entry["size"]))
            for name, entry in value["files"].items()
        }
        found = Manifest(value["category"], value["version"], files)
    except (
        ValueError, OverflowError, KeyError, TypeError, AttributeError, RegistryError,
    ) as error:  # fmt: skip
        raise RegistryError(f"{where} is damaged: {error!r}") from error
    if category not in (None, found.category) or version not in (None, found.version):
        raise RegistryError(
            f"{where} belongs to version {found.version!r} of {found.category!r}: it was moved"
        )
    if not isinstance(found.category, str) or not isinstance(found.version, str):
        raise RegistryError(f"{where} is damaged: it does not say whose it is")
    if any(not _SUM.fullmatch(s.sha256) or s.size < 0 for s in files.values()):
        raise RegistryError(f"{where} is damaged: it has a sum that is none")
    missing = [name for name in REQUIRED if name not in files]
    if missing:
        raise RegistryError(f"{where} is damaged: it does not list {', '.join(missing)}")
    if data != found.to_bytes():
        raise RegistryError(f"{where} was changed since it was written")
    return found
