"""What a plan is made of: which categories there are, by content. Reads folders and files."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from memseg.config.encoder import encoder_identity
from memseg.data.demo import draw_demo
from memseg.data.fingerprints import (
    HashCache,
    UnreadFiles,
    category_files,
    hash_files,
    test_fingerprint,
    texture_files,
    train_fingerprint,
)
from memseg.data.layouts import LayoutConfig, discover_categories, list_category
from memseg.data.textures import texture_identity
from memseg.errors import DataError, EmptyDataError, StorageDownError, StorageError
from memseg.storage import Folder, open_folder
from orchestrator.job.job import Job
from orchestrator.job.layouts import layout_of

PROCEDURAL_COUNT = 64
"""About so many textures are drawn by the code, for the memory estimate."""


@dataclass(frozen=True)
class CategoryInventory:
    """One category's images, or why they cannot be used."""

    category: str
    normal: int = 0
    """Normal training images n."""
    test_normal: int = 0
    test_anomalous: int = 0
    has_masks: bool = False
    train_fingerprint: str = ""
    test_fingerprint: str = ""
    train_hashes: tuple[str, ...] = ()
    """sha256 of each normal image, in the order of paths: roles follow from them."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path below the category's folder -> sha256, of all images and masks."""
    problem: str = ""
    """The message of the DataError that listing the category raised; "" when all is well."""


@dataclass(frozen=True)
class Inventory:
    """All categories of a job in the order of training, and what they share."""

    categories: tuple[CategoryInventory, ...]
    textures: str
    """Identity of the textures, see memseg.data.textures."""
    texture_images: int
    encoder_weights: str
    """Identity of the encoder's weights, see memseg.config.encoder."""


def gather_inventory(job: Job, environ: Mapping[str, str], *, unread: bool = False) -> Inventory:
    """Lists and hashes images, textures and encoder weights; decodes nothing. Draws the demo.

    ``unread``: images and textures are listed only; no fingerprint is then of their contents.
    A category that cannot be listed becomes its own problem. Raises DataError where the root is
    missing or holds no category, or textures are unusable; WeightsError for encoder weights
    that are not there; StorageError for a workspace that is a file.
    """
    data = job.config.data
    layout = layout_of(data)
    file = hash_cache_file(job.config.workspace, environ)
    cache = UnreadFiles(file) if unread else HashCache(file)
    weights = encoder_identity(job.config.encoder_weights)
    textures, texture_images = _textures(job.config.textures, cache)
    if data.demo:
        draw_demo(data.root or "")
    root = open_folder(data.root or "")
    names = data.categories
    if not names:
        names = discover_categories(root, layout)
    elif not root.exists():
        raise EmptyDataError(f"data.root {data.root} does not exist")
    twins = _twins(root.folders())
    categories = tuple(
        CategoryInventory(name, problem=twins[name])
        if name in twins
        else _category(root, layout, name, cache)
        for name in names
    )
    cache.save()
    return Inventory(categories, textures, texture_images, weights)


def hash_cache_file(workspace: str, environ: Mapping[str, str]) -> Path:
    """Where hashes of image files are kept: in the workspace, or at home beside a remote one."""
    folder = open_folder(workspace)
    if folder.is_local:
        return Path(folder.path) / "cache" / "hashes.json"
    home = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "memseg-orchestrator" / "hashes.json"


def _twins(names: Iterable[str]) -> dict[str, str]:
    """Name -> what is wrong with it, of names that some disks take for one. Pure."""
    alike: dict[str, set[str]] = defaultdict(set)
    for name in names:
        alike[unicodedata.normalize("NFC", name).casefold()].add(name)
    return {
        name: f"{' and '.join(map(repr, sorted(group)))} differ in upper and lower case (or in "
        "how accents are written) only: on a disk that takes them for one name their models would "
        "be mixed; rename one"
        for group in alike.values()
        if len(group) > 1
        for name in group
    }


def _category(
    root: Folder, layout: LayoutConfig, category: str, cache: HashCache
) -> CategoryInventory:
    try:
        files = list_category(root, layout, category)
        hashes = hash_files(root, category_files(files), cache)
    except StorageDownError:
        raise  # no category's own problem, and each would be waited for
    except (DataError, StorageError) as error:
        return CategoryInventory(category, problem=str(error))
    return CategoryInventory(
        category=category,
        normal=len(files.train),
        test_normal=sum(not test.anomalous for test in files.test),
        test_anomalous=sum(test.anomalous for test in files.test),
        has_masks=files.has_masks,
        train_fingerprint=train_fingerprint(files, hashes),
        test_fingerprint=test_fingerprint(files, hashes),
        train_hashes=tuple(hashes[file.path] for file in files.train),
        files={path.removeprefix(f"{category}/"): sha for path, sha in sorted(hashes.items())},
    )


def _textures(location: str | None, cache: HashCache) -> tuple[str, int]:
    if location is None:
        return texture_identity(None, cache), PROCEDURAL_COUNT
    folder = open_folder(location)
    return texture_identity(folder, cache), len(texture_files(folder))
