"""A complete version: what is read of it is checked against its manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from memseg.data.categories import check_category_name
from memseg.errors import DataError, RegistryError
from memseg.storage import Folder
from memseg.versions.layout import MANIFEST, Manifest, check_id, parse_manifest, sum_of


@dataclass(frozen=True)
class Version:
    """A complete version."""

    category: str
    id: str
    folder: Folder
    manifest: Manifest

    def read(self, name: str) -> bytes:
        """A file's bytes, checked. Raises RegistryError when it is missing or was changed."""
        expected = self.manifest.files.get(name)
        if expected is None:
            raise RegistryError(f"version {self.id} of {self.category!r} has no file {name!r}")
        where = self.folder.at(name)
        if not self.folder.exists(name):
            raise RegistryError(f"{where} is missing: publish the trial again or use another")
        data = self.folder.read(name)
        if sum_of(data) != expected:
            raise RegistryError(
                f"{where} was changed since it was published (its sha256 or size is not the "
                f"manifest's): do not use it; delete the version and publish the trial again"
            )
        return data

    def read_json(self, name: str) -> Any:
        """A JSON file's value, checked. Raises RegistryError."""
        data = self.read(name)
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise RegistryError(
                f"{self.folder.at(name)} is not JSON: this program did not write it: {error}"
            ) from error


def open_version(folder: Folder) -> Version:
    """The version that a folder is, wherever it was copied to. Raises RegistryError."""
    where = folder.at(MANIFEST)
    if not folder.exists(MANIFEST):
        raise RegistryError(
            f"{folder.location} has no {MANIFEST}: it is not the folder of a version, or its "
            "publication was interrupted (a version is WORKSPACE/registry/CATEGORY/versions/ID)"
        )
    manifest = parse_manifest(folder.read(MANIFEST), where)
    try:
        check_category_name(manifest.category)
    except DataError as error:
        raise RegistryError(f"{where} is damaged: {error}") from error
    return Version(manifest.category, check_id(manifest.version), folder, manifest)
