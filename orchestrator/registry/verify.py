"""Checks a registry to the last byte; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from memseg.data.categories import check_category_name
from memseg.errors import DataError, RegistryError, StorageDownError, StorageError
from memseg.storage import Folder
from memseg.versions.aliases import CHALLENGER, CHAMPION, Aliases
from memseg.versions.layout import ALIASES, HISTORY, VERSIONS, is_unfinished
from orchestrator.registry.checking import Problem, check_version
from orchestrator.registry.history import Change, parse_change
from orchestrator.registry.registry import Registry

__all__ = ["Problem", "verify"]


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
        if name not in (VERSIONS, HISTORY):
            yield Problem(f"{category}/{name}", "a folder that does not belong here")
    for file in (*folder.files(), *folder.files(VERSIONS)):
        if file.path != ALIASES and not is_unfinished(file.path):
            yield Problem(f"{category}/{file.path}", "a file that does not belong here")
    for version in folder.folders(VERSIONS):
        yield from check_version(folder.sub(f"{VERSIONS}/{version}"), category, version)
    changes: dict[str, Change] = {}
    yield from _history(folder, category, changes)
    yield from _aliases(registry, category, changes)


def _history(folder: Folder, category: str, changes: dict[str, Change]) -> Iterator[Problem]:
    """What is wrong with the files of history; those that are right go into ``changes``."""
    for file in folder.files(HISTORY, recursive=True):
        if is_unfinished(file.path):
            continue
        try:
            change = parse_change(folder.read(file.path), folder.at(file.path))
        except StorageDownError:
            raise
        except (RegistryError, StorageError) as error:
            yield Problem(f"{category}/{file.path}", str(error))
        else:
            changes[change.name] = change


def _aliases(registry: Registry, category: str, changes: Mapping[str, Change]) -> Iterator[Problem]:
    where = f"{category}/{ALIASES}"
    try:
        aliases, versions = registry.aliases(category), registry.version_ids(category)
    except StorageDownError:
        raise
    except (RegistryError, StorageError) as error:
        yield Problem(where, str(error))
        return
    if aliases.champion is None and versions:
        yield Problem(where, "missing: the category has versions but no champion; promote one")
    for name in (CHAMPION, CHALLENGER):
        version = getattr(aliases, name)
        if version is not None and version not in versions:
            yield Problem(
                where, f"the {name} {version} is not a complete version; roll back or promote one"
            )
    if aliases.change is None:  # an earlier program's
        return
    change = changes.get(aliases.change)
    if change is None:
        yield Problem(where, f"its change is not in {HISTORY}/: {aliases.change}")
    elif change.after != Aliases(aliases.champion, aliases.challenger):
        yield Problem(where, f"is not what its change {aliases.change} made of it: edited by hand")
