"""The normal images of a folder, or of a category's folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from memseg.data.layouts import LayoutConfig
from memseg.data.listing import has_images
from memseg.errors import EmptyDataError
from memseg.prediction.images import THREADS, Source, Unreadable, find_images, read_pictures
from memseg.storage import folder_exists, local_path, open_folder

MOST_IMAGES = 512
"""More are not read: this many, evenly spaced by path, say the same. 100 MB at 256 pixels."""
_AHEAD = 16


@dataclass(frozen=True)
class NormalImages:
    """Decoded images of one product; S side in pixels."""

    location: str
    """The folder that they were read from."""
    pixels: npt.NDArray[np.uint8] = field(repr=False)
    """(n, 3, S, S) RGB, n >= 1."""
    names: tuple[str, ...]
    """Paths relative to the folder."""
    found: int
    """Images that are there."""
    unreadable: tuple[str, ...]
    """What is wrong with each file that could not be read."""


def normal_images(location: str, size: int) -> NormalImages:
    """The images at ``location`` at ``size`` pixels, decoded as for training.

    A folder that holds train/good or train/ok is a category's: only these are read. Raises
    EmptyDataError where no image is there, or none can be read; StorageError.
    """
    source = find_images(_normal_folder(location))
    kept = _spaced(source)
    pixels, names, unreadable = [], [], []
    for picture in read_pictures(kept, size, THREADS, _AHEAD):
        if isinstance(picture, Unreadable):
            unreadable.append(picture.error)
        else:
            pixels.append(picture.pixels)
            names.append(picture.file)
    if not pixels:
        raise EmptyDataError(
            f"none of the {len(unreadable)} images in {source.folder.location} can be read; the "
            f"first: {unreadable[0]}"
        )
    return NormalImages(
        source.folder.location,
        np.stack(pixels),
        tuple(names),
        len(source.files),
        tuple(unreadable),
    )


def category_of(location: str) -> str:
    """The category whose folder this is, "" for any other folder."""
    if not _train_folder(location):
        return ""
    if open_folder(location).is_local:
        # "." is a folder with a name too. A link is called what training calls it: its own name.
        return os.path.basename(os.path.normpath(local_path(location)))
    return location.rstrip("/").rpartition("/")[2]


def _normal_folder(location: str) -> str:
    below = _train_folder(location)
    return f"{location.rstrip('/')}/{below}" if below else location


def _train_folder(location: str) -> str:
    """Where a category's normal images are, below its folder; "" where it is none."""
    if not folder_exists(location):
        return ""
    folder = open_folder(location)
    kinds = [LayoutConfig(kind=kind).train_folder for kind in ("mvtec_ad", "btad")]
    return next((below for below in kinds if has_images(folder, below)), "")


def _spaced(source: Source) -> Source:
    if len(source.files) <= MOST_IMAGES:
        return source
    chosen = np.linspace(0, len(source.files) - 1, MOST_IMAGES).round().astype(int)
    return Source(source.folder, tuple(source.files[i] for i in chosen), source.single)
