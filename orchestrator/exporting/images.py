"""Real images that an export is checked on: a folder's, or those that the model was tested on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from memseg.data.decoding import decode_image
from memseg.data.fingerprints import hash_files, test_fingerprint
from memseg.data.layouts import LayoutConfig, list_category
from memseg.data.listing import images_below
from memseg.data.parallel import for_each
from memseg.errors import DataError, EmptyDataError, RegistryError, StorageError
from memseg.storage import FileInfo, Folder, open_folder
from orchestrator.job.read import DEMO_FOLDER
from orchestrator.registry.registry import Version

_LAYOUTS: tuple[Literal["mvtec_ad", "btad"], ...] = ("mvtec_ad", "btad")
"""Those that need no further settings to find a category's test images."""


@dataclass(frozen=True)
class Images:
    """Decoded images of one product line."""

    pixels: npt.NDArray[np.uint8]
    """(m, 3, S, S), RGB."""
    names: tuple[str, ...]
    source: str
    """Where they are, for messages."""


def images_in(location: str, size: int) -> Images:
    """All images below a folder, at any depth. Raises EmptyDataError, DataError, StorageError."""
    folder = open_folder(location)
    files = images_below(folder, "")
    if not files:
        raise EmptyDataError(
            f"there are no images below {folder.path} to check the export with: give another "
            "--images FOLDER"
        )
    return _decoded(folder, files, size, folder.path)


def tested_images(
    version: Version, size: int, workspace: Folder, environ: Mapping[str, str]
) -> Images:
    """The images that the version's figures are of, known by their fingerprint.

    A trial does not record where its data lie. They are looked for in MEMSEG_DATA_ROOT and among
    the demo's of the workspace. Raises EmptyDataError, which says what was looked at, where they
    are not found.
    """
    try:
        wanted = version.read_json("provenance.json")["inputs"]["test_fingerprint"]
    except (KeyError, TypeError) as error:
        raise RegistryError(
            f"{version.folder.at('provenance.json')} does not say which images the model was "
            "tested on: this program did not write it"
        ) from error
    looked = []
    for name, root in _roots(workspace, environ):
        found = [_fitting(root, kind, version.category, wanted) for kind in _LAYOUTS]
        files = next((f for f in found if isinstance(f, list)), None)
        if files:
            return _decoded(root, files, size, f"the test images in {root.at(version.category)}")
        reasons = dict.fromkeys(reason for reason in found if isinstance(reason, str))
        looked.append(f"{name} ({root.path}): {'; '.join(reasons) or 'it has no test images'}")
    raise EmptyDataError(
        f"the export of {version.category!r} must be checked on real images, and those it was "
        f"tested on are not found: {'; '.join(looked)}. Give --images FOLDER with images of this "
        "product line, or --unchecked to export without the check"
    )


def _roots(workspace: Folder, environ: Mapping[str, str]) -> Iterator[tuple[str, Folder]]:
    if environ.get("MEMSEG_DATA_ROOT"):
        yield "MEMSEG_DATA_ROOT", open_folder(environ["MEMSEG_DATA_ROOT"])
    yield "the demo's images", workspace.sub(DEMO_FOLDER)


def _fitting(
    root: Folder, kind: Literal["mvtec_ad", "btad"], category: str, wanted: str
) -> list[FileInfo] | str:
    """The category's test images, or why they are not those of the fingerprint."""
    try:
        files = list_category(root, LayoutConfig(kind=kind), category)
        tested = [test.image for test in files.test]
        masks = [test.mask for test in files.test if test.mask is not None]
        hashes = hash_files(root, [*tested, *masks])
    except (DataError, StorageError) as error:
        return str(error)
    if test_fingerprint(files, hashes) != wanted:
        return f"in layout {kind} its test images are not those that the model was tested on"
    return tested


def _decoded(root: Folder, files: Sequence[FileInfo], size: int, source: str) -> Images:
    pixels = np.empty((len(files), 3, size, size), np.uint8)

    def load(index: int) -> None:
        path = files[index].path
        pixels[index] = decode_image(root.read(path), path, size)

    for_each(load, range(len(files)))
    return Images(pixels, tuple(file.path for file in files), source)
