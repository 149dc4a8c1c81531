"""From what a person writes to a version: its folder, or REGISTRY/CATEGORY@ALIAS."""

from __future__ import annotations

from memseg.data.categories import check_category_name
from memseg.errors import DataError, RegistryError
from memseg.storage import Folder, open_folder, split_location
from memseg.versions.aliases import CHALLENGER, CHAMPION, read_aliases
from memseg.versions.layout import ALIASES, MANIFEST, VERSIONS, parse_manifest
from memseg.versions.version import Version, open_version


def find_version(location: str) -> Version:
    """The version at ``location``, a path or a URI.

    "registry/screw@champion" is what the alias names now; anything else is a version's folder.
    Raises RegistryError where there is none, or it is damaged; StorageError.
    """
    above, last = split_location(location.rstrip("/"))
    category, at, alias = last.rpartition("@")
    folder = open_folder(location)
    if at and not folder.exists(MANIFEST):
        return _by_alias(open_folder(above), category, alias)
    if not folder.exists():
        raise RegistryError(
            f"there is no model at {location}: give a version's folder or "
            "WORKSPACE/registry/CATEGORY@champion"
        )
    if folder.exists(VERSIONS) and not folder.exists(MANIFEST):
        raise RegistryError(
            f"{location} holds all versions of a category: give {location.rstrip('/')}@champion, "
            f"or one folder below {VERSIONS}"
        )
    return open_version(folder)


def _by_alias(registry: Folder, category: str, alias: str) -> Version:
    try:
        check_category_name(category)
    except DataError as error:
        raise RegistryError(f"{category}@{alias}: {error}") from error
    folder = registry.sub(category)
    if not folder.exists():
        known = ", ".join(registry.folders()) or "none"
        raise RegistryError(
            f"there is no category {category!r} in the registry {registry.location}; "
            f"categories: {known}"
        )
    version = _aliased(folder, category, alias)
    versions = folder.sub(VERSIONS)
    found = versions.sub(version)
    if not found.exists(MANIFEST):
        there = ", ".join(i for i in versions.folders() if versions.exists(f"{i}/{MANIFEST}"))
        raise RegistryError(
            f"{category}@{alias} is version {version}, which is gone from {versions.location}; "
            f"complete versions: {there or 'none'}: give one's folder, or publish the trial again"
        )
    manifest = parse_manifest(found.read(MANIFEST), found.at(MANIFEST), category, version)
    return Version(category, version, found, manifest)


def _aliased(folder: Folder, category: str, alias: str) -> str:
    """The id that an alias stands for."""
    if alias not in (CHAMPION, CHALLENGER):
        raise RegistryError(
            f"{category}@{alias}: after the @ stands {CHAMPION} or {CHALLENGER}; give the folder "
            "of any other version"
        )
    if not folder.exists(ALIASES):
        raise RegistryError(
            f"category {category!r} has no {folder.at(ALIASES)}: nothing is published yet"
        )
    aliases = read_aliases(folder)
    version = aliases.champion if alias == CHAMPION else aliases.challenger
    if version is None:
        raise RegistryError(f"category {category!r} has no {alias}: see {folder.at(ALIASES)}")
    return version
