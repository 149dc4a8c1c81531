"""What gc may delete, and deleting it.

Never the champion, the challenger, the version that a rollback would take, nor one of the newest
few. A category in which that cannot be told for certain is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from memseg.errors import DataError, RegistryError
from memseg.storage import FileInfo, Folder
from memseg.versions.layout import MANIFEST, VERSIONS, is_id, is_unfinished
from orchestrator.registry.changing import one_at_a_time
from orchestrator.registry.reading import RegistryReader
from orchestrator.registry.writing import delete_version

KEPT_NEWEST = 3
LEFTOVER_AGE = timedelta(days=1)
"""What an unfinished publication wrote last is older than this: nobody is at it any more."""

VERSION, LEFTOVER, PART = "version", "unfinished publication", "unfinished file"


@dataclass(frozen=True)
class Garbage:
    """One thing to delete."""

    category: str
    kind: str
    """VERSION, LEFTOVER or PART."""
    path: str
    """Below the category: a version's folder, or a file."""
    size: int
    """Bytes."""
    since: str
    """When its trial ended or its last file was written, for people."""

    @property
    def name(self) -> str:
        """The version's id, or the file's name."""
        return self.path.rpartition("/")[2]


@dataclass
class Found:
    """What a look at the registry found."""

    garbage: list[Garbage] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    """Why something was not even looked at, for people."""


def beyond_newest(
    ended: Mapping[str, str], protected: Collection[str], keep: int
) -> tuple[str, ...]:
    """The versions to delete, oldest first. Pure.

    ``ended``: version -> when its trial ended. The ``keep`` newest of all stay, and whatever is
    ``protected``.
    """
    oldest_first = sorted(ended, key=lambda version: (ended[version], version))
    beyond = oldest_first[: max(0, len(oldest_first) - keep)]
    return tuple(version for version in beyond if version not in protected)


def protected_versions(registry: RegistryReader, category: str) -> frozenset[str]:
    """What is never deleted. Raises RegistryError where that is not certain."""
    if registry.aliases(category).champion is None:
        raise RegistryError(f"{category!r} has no champion: promote one first")
    return named_versions(registry, category)


def named_versions(registry: RegistryReader, category: str) -> frozenset[str]:
    """Champion, challenger and what a rollback would take, as far as there are any.

    Whatever became of their files: one that was lost may be put back. Raises RegistryError where
    they cannot be told.
    """
    aliases = registry.aliases(category)
    named = (aliases.champion, aliases.challenger, registry.earlier_champion(category))
    return frozenset(version for version in named if version)


def find_garbage(
    registry: RegistryReader, categories: Iterable[str], keep: int, now: datetime
) -> Found:
    """What ``delete_garbage`` may take; changes nothing. Raises StorageError."""
    found = Found()
    for category in categories:
        try:
            files = _by_version(registry, category)
            found.garbage += [
                *_leftovers(registry, category, files, now),
                *_unfinished(registry, category, now),
                *_versions(registry, category, files, keep),
            ]
        except (RegistryError, DataError) as error:
            found.left_alone.append(f"{category}: {error}")
    return found


def delete_garbage(registry: RegistryReader, item: Garbage) -> bool:
    """Deletes it; False where it is protected, or a whole version, by now. Raises StorageError."""
    folder = registry.category_folder(item.category)
    if item.kind == PART:
        folder.delete(item.path)
        return True
    with one_at_a_time(folder):
        version = folder.sub(item.path)
        if item.kind == LEFTOVER:
            if version.exists(MANIFEST) or item.name in named_versions(registry, item.category):
                return False
        else:
            if item.name in protected_versions(registry, item.category):
                return False
            manifest = version.read(MANIFEST) if version.exists(MANIFEST) else None
            version.delete(MANIFEST)
            # On a store without locks it may have been promoted since: whoever looks last sees it.
            if item.name in protected_versions(registry, item.category) and manifest is not None:
                version.write(MANIFEST, manifest)
                return False
        delete_version(version)
    return True


def _by_version(registry: RegistryReader, category: str) -> dict[str, list[FileInfo]]:
    """Version -> its files, by one listing; paths below the version's folder."""
    found: dict[str, list[FileInfo]] = defaultdict(list)
    versions = registry.category_folder(category).sub(VERSIONS)
    for name in versions.folders():
        found[name] = []
    for file in versions.files(recursive=True):
        name, _, rest = file.path.partition("/")
        if rest:
            found[name].append(FileInfo(rest, file.size, file.mtime_ns))
    return {name: files for name, files in found.items() if is_id(name)}


def _versions(
    registry: RegistryReader, category: str, files: Mapping[str, Sequence[FileInfo]], keep: int
) -> Iterator[Garbage]:
    complete = {i: f for i, f in files.items() if any(file.path == MANIFEST for file in f)}
    if not complete:
        return
    protected = protected_versions(registry, category)
    # Of one that cannot be read it is not certain what it is: then the category is left alone.
    ended = {version: _ended(registry, category, version) for version in complete}
    for version in beyond_newest(ended, protected, keep):
        size = sum(file.size for file in complete[version])
        yield Garbage(category, VERSION, f"{VERSIONS}/{version}", size, ended[version])


def _ended(registry: RegistryReader, category: str, version: str) -> str:
    """When its trial ended: unlike a file's time it survives a copy of the registry."""
    provenance = registry.version(category, version).read_json("provenance.json")
    value = provenance.get("ended_at") if isinstance(provenance, dict) else None
    return str(value or "")


def _leftovers(
    registry: RegistryReader,
    category: str,
    files: Mapping[str, Sequence[FileInfo]],
    now: datetime,
) -> Iterator[Garbage]:
    incomplete = [
        version
        for version, present in files.items()
        if not any(file.path == MANIFEST for file in present)
    ]
    if not incomplete:
        return
    named = named_versions(registry, category)
    for version in incomplete:
        if version in named:
            continue
        present = files[version]
        if present:
            last = max(file.mtime_ns for file in present)
        else:  # of a disk that was full at the first file
            last = _folder_time(registry.category_folder(category).sub(f"{VERSIONS}/{version}"))
        if _is_old(last, now):
            size = sum(file.size for file in present)
            yield Garbage(category, LEFTOVER, f"{VERSIONS}/{version}", size, _date(last, now))


def _folder_time(folder: Folder) -> int:
    """When an empty folder was made, in nanoseconds; 0 where a store has no folders."""
    if not folder.is_local:
        return 0
    try:
        return Path(folder.path).stat().st_mtime_ns
    except OSError:
        return 0


def _unfinished(registry: RegistryReader, category: str, now: datetime) -> Iterator[Garbage]:
    """Files that a killed process did not rename, of whole versions and beside them."""
    folder = registry.category_folder(category)
    for file in folder.files(recursive=True):
        if not is_unfinished(file.path) or not _is_old(file.mtime_ns, now):
            continue
        parts = file.path.split("/")
        if parts[0] == VERSIONS and len(parts) > 2 and not folder.exists(_manifest(parts[1])):
            continue  # goes with the leftovers
        yield Garbage(category, PART, file.path, file.size, _date(file.mtime_ns, now))


def _manifest(version: str) -> str:
    return f"{VERSIONS}/{version}/{MANIFEST}"


def _is_old(mtime_ns: int, now: datetime) -> bool:
    """Where a store tells no times nothing is old."""
    return mtime_ns > 0 and now.timestamp() - mtime_ns / 1e9 > LEFTOVER_AGE.total_seconds()


def _date(mtime_ns: int, now: datetime) -> str:
    return datetime.fromtimestamp(mtime_ns // 10**9, now.tzinfo).isoformat(timespec="seconds")
