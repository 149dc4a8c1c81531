"""Textures that textural anomalies are cut from: a folder of images, or drawn by the code."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from memseg.data.decoding import decode_image
from memseg.data.fingerprints import HashCache, texture_files, texture_fingerprint
from memseg.data.parallel import for_each
from memseg.data.procedural import PROCEDURAL_TEXTURES, procedural_textures
from memseg.storage import Folder

__all__ = ["PROCEDURAL_TEXTURES", "load_textures", "procedural_textures", "texture_identity"]


def load_textures(folder: Folder | None, size: int) -> npt.NDArray[np.uint8]:
    """All textures of a folder, at any depth, sorted by path: uint8 (T, 3, size, size), RGB.

    None gives the textures drawn by the code. Raises EmptyDataError where there is no image,
    DataError that names a file that cannot be used.
    """
    if folder is None:
        return procedural_textures(size)
    files = texture_files(folder)
    textures = np.empty((len(files), 3, size, size), np.uint8)

    def load(index: int) -> None:
        path = files[index].path
        textures[index] = decode_image(folder.read(path), folder.at(path), size)

    for_each(load, range(len(files)))
    return textures


def texture_identity(folder: Folder | None, cache: HashCache | None = None) -> str:
    """What ``load_textures`` loads, by content: "sha256:<hex>", or "procedural:1"."""
    if folder is None:
        return PROCEDURAL_TEXTURES
    return f"sha256:{texture_fingerprint(folder, cache)}"
