"""Publishing and reading versions.

The contract, on every storage:

- A version is immutable: once complete, none of its bytes is written again.
- A version is complete or absent. Its manifest is written last, and what has no manifest is not
  listed, not read and not named champion.
- A version's id is its trial's key: publishing a trial twice, also at the same time by two
  publishers, is one version. An interrupted publication is completed by the next.
- The first version of a category becomes its champion; later ones are only published.
- What is read is checked against the manifest's sha256; a changed byte is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from memseg.data.categories import check_category_name
from memseg.errors import RegistryError
from memseg.storage import Folder
from memseg.versions.version import Version
from orchestrator.registry.layout import (
    ALIASES,
    CHAMPION,
    MANIFEST,
    REQUIRED,
    VERSIONS,
    Manifest,
    check_file_name,
    check_id,
    is_unfinished,
    json_bytes,
    parse_aliases,
    parse_manifest,
    sum_of,
)

__all__ = ["Registry", "Version"]


@dataclass(frozen=True)
class Registry:
    """All versions below one folder (``<workspace>/registry``). Holds no state of its own."""

    folder: Folder

    def categories(self) -> tuple[str, ...]:
        """Categories with a folder here, sorted."""
        return tuple(n for n in self.folder.folders() if not n.startswith("."))

    def version_ids(self, category: str) -> tuple[str, ...]:
        """Ids of the category's complete versions, sorted."""
        versions = self._category(category).sub(VERSIONS)
        return tuple(i for i in versions.folders() if versions.exists(f"{i}/{MANIFEST}"))

    def version(self, category: str, version: str) -> Version:
        """One version. Raises RegistryError where it is absent or its manifest is damaged."""
        folder = self._version_folder(category, version)
        if not folder.exists(MANIFEST):
            known = ", ".join(self.version_ids(category)) or "none"
            raise RegistryError(
                f"category {category!r} has no version {version!r}; complete versions: {known}"
            )
        data = folder.read(MANIFEST)
        manifest = parse_manifest(data, folder.at(MANIFEST), category, version)
        return Version(category, version, folder, manifest)

    def champion_id(self, category: str) -> str | None:
        """Which version is champion; None where nothing was published yet.

        Raises RegistryError for a damaged aliases.json.
        """
        folder = self._category(category)
        if not folder.exists(ALIASES):
            return None
        try:
            value = json.loads(folder.read(ALIASES))
        except ValueError as error:
            raise RegistryError(f"{folder.at(ALIASES)} is damaged: {error}") from error
        return parse_aliases(value, folder.at(ALIASES))

    def champion(self, category: str) -> Version:
        """The category's champion. Raises RegistryError where it has none, or a damaged one."""
        champion = self.champion_id(category)
        if champion is None:
            raise RegistryError(f"category {category!r} has no champion: nothing is published")
        return self.version(category, champion)

    def is_published(self, category: str, trial_key: str) -> bool:
        """Whether a trial's model is there, so that ``publish`` needs none of its files.

        Ends what a publisher that was killed before it could name the first champion left open.
        """
        found = self._version_folder(category, trial_key).exists(MANIFEST)
        if found:
            self._name_first_champion(category, trial_key)
        return found

    def publish(self, category: str, trial_key: str, files: Mapping[str, bytes]) -> Version:
        """Publishes a trial's model; does nothing where that was done before.

        ``files``: name -> bytes, at least those of ``layout.REQUIRED``, made of the trial's
        result alone, so that two publishers write the same. Raises RegistryError for missing or
        badly named files, DataError for a bad category name, StorageError.
        """
        folder = self._version_folder(category, trial_key)
        if not folder.exists(MANIFEST):
            _write_version(folder, category, trial_key, files)
        version = self.version(category, trial_key)
        self._name_first_champion(category, trial_key)
        return version

    def _name_first_champion(self, category: str, published: str) -> None:
        folder = self._category(category)
        if folder.exists(ALIASES):
            return
        # Another version without a champion beside it was published first, by a process that
        # ended before it could say so.
        earlier = [i for i in self.version_ids(category) if i != published]
        folder.write(ALIASES, json_bytes({CHAMPION: earlier[0] if earlier else published}))

    def _category(self, category: str) -> Folder:
        return self.folder.sub(check_category_name(category))

    def _version_folder(self, category: str, version: str) -> Folder:
        return self._category(category).sub(f"{VERSIONS}/{check_id(version)}")


def _write_version(folder: Folder, category: str, version: str, files: Mapping[str, bytes]) -> None:
    missing = [name for name in REQUIRED if name not in files]
    if missing:
        raise RegistryError(
            f"version {version} of {category!r} cannot be published without {', '.join(missing)}"
        )
    for name in files:
        check_file_name(name)
    # What an interrupted publication left and this one does not have.
    for left in folder.files(recursive=True):
        if left.path not in files and left.path != MANIFEST and not is_unfinished(left.path):
            folder.delete(left.path)
    for name, data in sorted(files.items()):
        folder.write(name, data)
    sums = {name: sum_of(data) for name, data in files.items()}
    folder.write(MANIFEST, Manifest(category, version, sums).to_bytes())
