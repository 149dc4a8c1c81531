"""Checks one version to the last byte; changes nothing, and runs nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from memseg.errors import RegistryError, StorageDownError, StorageError
from memseg.storage import Folder
from memseg.versions.layout import (
    MANIFEST,
    MODEL,
    VERSIONS,
    Sum,
    is_unfinished,
    parse_manifest,
    sum_of,
)


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was published."""

    where: str
    """Path below the registry."""
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def check_version(folder: Folder, category: str, version: str) -> Iterator[Problem]:
    """Everything that is wrong with a version; ``folder``: its own."""
    place = f"{category}/{VERSIONS}/{version}"
    if not folder.exists(MANIFEST):
        yield Problem(
            place,
            f"no {MANIFEST}: its publication was interrupted, or the file was deleted; readers "
            f"do not see it; publish its trial again, or let gc delete the folder",
        )
        return
    try:
        data = folder.read(MANIFEST)
        manifest = parse_manifest(data, f"{place}/{MANIFEST}", category, version)
    except StorageDownError:
        raise
    except (RegistryError, StorageError) as error:
        yield Problem(f"{place}/{MANIFEST}", str(error))
        return
    sizes = {f.path: f.size for f in folder.files(recursive=True) if not is_unfinished(f.path)}
    for name, expected in sorted(manifest.files.items()):
        if name not in sizes:
            yield Problem(f"{place}/{name}", "missing")
        else:
            yield from _file(folder, place, name, expected, sizes[name])
    for name in sorted(set(sizes) - set(manifest.files) - {MANIFEST}):
        yield Problem(f"{place}/{name}", "not in the manifest: it was added later")


def _file(folder: Folder, place: str, name: str, expected: Sum, size: int) -> Iterator[Problem]:
    if size != expected.size:
        yield Problem(f"{place}/{name}", f"has {size} bytes, the manifest says {expected.size}")
        return
    try:
        data = folder.read(name)
    except StorageDownError:
        raise
    except StorageError as error:
        yield Problem(f"{place}/{name}", str(error))
        return
    found = sum_of(data)
    if found.sha256 != expected.sha256:
        yield Problem(
            f"{place}/{name}",
            f"was changed: its sha256 is {found.sha256[:16]}..., the manifest says "
            f"{expected.sha256[:16]}...",
        )
    elif name == MODEL and not is_safetensors(data):
        yield Problem(f"{place}/{name}", "no safetensors file: this program did not write it")


def is_safetensors(data: bytes) -> bool:
    """Whether it begins as one: the length of a JSON text, and the text. Nothing is loaded.

    A pickle, which would run code when it is loaded, is none.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        return False
    try:
        return isinstance(json.loads(data[8 : 8 + length]), dict)
    except ValueError:
        return False
