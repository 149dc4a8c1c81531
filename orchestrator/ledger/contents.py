"""What a category's folder held when it was trained: ``contents/<category>/<fingerprints>.json``.

Trials know their images by two fingerprints. Which images were added or edited since can only be
said with the files' own hashes; they are kept here, once for each state of a folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from memseg.data.categories import check_category_name
from memseg.storage import Folder
from orchestrator.planning.inventory import CategoryInventory

CONTENTS = "contents"
_DIGITS = 16
"""Of each fingerprint, in a file's name."""


@dataclass(frozen=True)
class Contents:
    """What a category's folder held."""

    files: Mapping[str, str]
    """Path below the category's folder -> sha256."""
    train: frozenset[str]
    """sha256 of the normal training images among them."""


def record_contents(workspace: Folder, category: CategoryInventory) -> None:
    """Keeps the hashes of all its files, unless that was done. Raises StorageError."""
    if category.problem or not category.files:
        return
    folder = workspace.sub(f"{CONTENTS}/{check_category_name(category.category)}")
    name = _name(category.train_fingerprint, category.test_fingerprint)
    if not folder.exists(name):
        train = sorted(set(category.train_hashes))
        folder.write_json(name, {"files": dict(category.files), "train": train})


def recorded_contents(
    workspace: Folder, category: str, train_fingerprint: str, test_fingerprint: str
) -> Contents | None:
    """None where nothing was kept, or nothing sound.

    Earlier programs did not say which are training images: then any of them may be one. Raises
    DataError for a name that no category can have, StorageError.
    """
    folder = workspace.sub(f"{CONTENTS}/{check_category_name(category)}")
    name = _name(train_fingerprint, test_fingerprint)
    if not folder.exists(name):
        return None
    try:
        value = json.loads(folder.read(name))
    except ValueError:
        return None
    files = value.get("files") if isinstance(value, dict) else None
    if not isinstance(files, dict):
        return None
    train = value.get("train")
    if not isinstance(train, list):
        train = list(files.values())
    return Contents(
        {str(path): str(sha) for path, sha in files.items()}, frozenset(map(str, train))
    )


def _name(train_fingerprint: str, test_fingerprint: str) -> str:
    return f"{train_fingerprint[:_DIGITS]}-{test_fingerprint[:_DIGITS]}.json"
