"""Checks a registry to the last byte; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memseg.data.categories import check_category_name
from memseg.errors import DataError, RegistryError, StorageError
from memseg.storage import Folder
from orchestrator.registry.layout import (
    ALIASES,
    MANIFEST,
    VERSIONS,
    Sum,
    is_unfinished,
    parse_manifest,
    sum_of,
)
from orchestrator.registry.registry import Registry


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was published."""

    where: str
    """Path below the registry."""
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def verify(registry: Registry, category: str | None = None) -> list[Problem]:
    """Everything that is wrong in the registry, or in one category of it; [] when nothing is.

    Each file of each version is read and compared with its manifest. Raises DataError for a name
    that no category can have, RegistryError for a category that is not there, StorageError when
    the registry itself cannot be read.
    """
    if category is None:
        return [problem for name in registry.categories() for problem in _category(registry, name)]
    if not registry.folder.is_folder(check_category_name(category)):
        known = ", ".join(registry.categories()) or "none"
        raise RegistryError(f"no category {category!r} in the registry; there are: {known}")
    return list(_category(registry, category))


def _category(registry: Registry, category: str) -> Iterator[Problem]:
    try:
        check_category_name(category)
    except DataError as error:
        yield Problem(category, f"not a category's folder: {error}")
        return
    folder = registry.folder.sub(category)
    for name in folder.folders():
        if name != VERSIONS:
            yield Problem(f"{category}/{name}", "a folder that does not belong here")
    for file in (*folder.files(), *folder.files(VERSIONS)):
        if file.path != ALIASES and not is_unfinished(file.path):
            yield Problem(f"{category}/{file.path}", "a file that does not belong here")
    for version in folder.folders(VERSIONS):
        yield from _version(folder.sub(f"{VERSIONS}/{version}"), category, version)
    yield from _aliases(registry, category)


def _aliases(registry: Registry, category: str) -> Iterator[Problem]:
    where = f"{category}/{ALIASES}"
    try:
        champion, versions = registry.champion_id(category), registry.version_ids(category)
    except (RegistryError, StorageError) as error:
        yield Problem(where, str(error))
        return
    if champion is None and versions:
        yield Problem(where, "missing: the category has versions but no champion")
    if champion is not None and champion not in versions:
        yield Problem(where, f"the champion {champion} is not a complete version")


def _version(folder: Folder, category: str, version: str) -> Iterator[Problem]:
    place = f"{category}/{VERSIONS}/{version}"
    if not folder.exists(MANIFEST):
        yield Problem(
            place,
            f"no {MANIFEST}: its publication was interrupted, or the file was deleted; readers "
            f"do not see it; publish its trial again, or delete the folder",
        )
        return
    try:
        data = folder.read(MANIFEST)
        manifest = parse_manifest(data, f"{place}/{MANIFEST}", category, version)
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
        found = sum_of(folder.read(name))
    except StorageError as error:
        yield Problem(f"{place}/{name}", str(error))
        return
    if found.sha256 != expected.sha256:
        yield Problem(
            f"{place}/{name}",
            f"was changed: its sha256 is {found.sha256[:16]}..., the manifest says "
            f"{expected.sha256[:16]}...",
        )
