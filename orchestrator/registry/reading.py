"""Reading a registry: what there is, and which version has which alias. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from memseg.data.categories import check_category_name
from memseg.errors import RegistryError
from memseg.storage import Folder
from memseg.versions.aliases import Aliases, read_aliases
from memseg.versions.layout import MANIFEST, VERSIONS, check_id, parse_manifest
from memseg.versions.version import Version
from orchestrator.registry.history import Change, champions, in_force, read_history


@dataclass(frozen=True)
class RegistryReader:
    """All versions below one folder (``<workspace>/registry``). Holds no state of its own."""

    folder: Folder

    def categories(self) -> tuple[str, ...]:
        """Categories with a folder here, sorted."""
        return tuple(n for n in self.folder.folders() if not n.startswith("."))

    def version_ids(self, category: str) -> tuple[str, ...]:
        """Ids of the category's complete versions, sorted."""
        versions = self.category_folder(category).sub(VERSIONS)
        return tuple(i for i in versions.folders() if versions.exists(f"{i}/{MANIFEST}"))

    def version(self, category: str, version: str) -> Version:
        """One version. Raises RegistryError where it is absent or its manifest is damaged."""
        folder = self.version_folder(category, version)
        if not folder.exists(MANIFEST):
            known = ", ".join(self.version_ids(category)) or "none"
            raise RegistryError(
                f"category {category!r} has no version {version!r}; complete versions: {known}"
            )
        data = folder.read(MANIFEST)
        manifest = parse_manifest(data, folder.at(MANIFEST), category, version)
        return Version(category, version, folder, manifest)

    def aliases(self, category: str) -> Aliases:
        """Champion and challenger. Raises RegistryError for a damaged aliases.json."""
        return read_aliases(self.category_folder(category))

    def champion_id(self, category: str) -> str | None:
        """Which version is champion; None where nothing was published yet.

        Raises RegistryError for a damaged aliases.json.
        """
        return self.aliases(category).champion

    def champion(self, category: str) -> Version:
        """The category's champion. Raises RegistryError where it has none, or a damaged one."""
        champion = self.champion_id(category)
        if champion is None:
            raise RegistryError(f"category {category!r} has no champion: nothing is published")
        if not self.version_folder(category, champion).exists(MANIFEST):
            raise RegistryError(
                f"the champion {champion} of {category!r} is gone: its folder in "
                f"{self.category_folder(category).at(VERSIONS)} was deleted or is not complete; "
                f"roll back, or promote another version"
            )
        return self.version(category, champion)

    def history(self, category: str) -> tuple[Change, ...]:
        """The changes that led to the aliases as they are, oldest first. Raises RegistryError."""
        folder = self.category_folder(category)
        return in_force(self.aliases(category), read_history(folder))

    def earlier_champion(self, category: str) -> str | None:
        """The version that a rollback takes; None where there is none. Raises RegistryError."""
        found = champions(self.aliases(category), self.history(category))
        return found[-2] if len(found) > 1 else None

    def category_folder(self, category: str) -> Folder:
        """Where a category lies. Raises DataError for a name that no category can have."""
        return self.folder.sub(check_category_name(category))

    def version_folder(self, category: str, version: str) -> Folder:
        """Where a version lies or would lie. Raises RegistryError for what is no id."""
        return self.category_folder(category).sub(f"{VERSIONS}/{check_id(version)}")
