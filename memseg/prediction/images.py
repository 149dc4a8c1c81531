"""Image files to pictures at the network's size, decoded beside inference.

S side of the network's input, H W of a picture as it is, after its EXIF orientation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from memseg.data.decoding import read_image, resize_image
from memseg.data.large import room_for, room_for_file
from memseg.data.listing import IMAGE_ENDINGS, pictures_below
from memseg.errors import DataError, EmptyDataError, StorageDownError, StorageError
from memseg.prediction.ahead import ahead
from memseg.storage import FileInfo, Folder, check_text, open_folder, split_location

THREADS = 2
_MOST_LOST = 3
"""Files one after another that the storage does not give, before it counts as gone."""
LARGEST_FILE = 640 * 2**20
"""Bytes; 100 megapixels of 3 * 16 bits fit, and what is larger would be read into memory first."""


@dataclass(frozen=True)
class Source:
    """Image files below a folder."""

    folder: Folder
    files: tuple[FileInfo, ...]
    """Sorted by path, relative to the folder. Names are all that is held of them."""
    single: bool = False
    """One file was asked for, not its folder."""


@dataclass(frozen=True)
class Picture:
    """A decoded image."""

    file: str
    """Path relative to the folder of images."""
    pixels: npt.NDArray[np.uint8] = field(repr=False)
    """(3, S, S) RGB."""
    width: int
    height: int


@dataclass(frozen=True)
class Unreadable:
    """A file that is no picture."""

    file: str
    error: str


def find_images(location: str) -> Source:
    """The images at ``location``: a folder (all below it, by path), a URI, or one file.

    Hidden files are passed over, and files that are no images by their ending. Raises
    EmptyDataError where nothing is left, or nothing is there; StorageError.
    """
    if not location:
        raise EmptyDataError("no folder of images was given, the name is empty")
    place, name = split_location(check_text(location).rstrip("/"))
    above = open_folder(place)
    if name and above.exists(name) and not above.is_folder(name):
        return Source(above, (FileInfo(name, above.size(name), 0),), single=True)
    folder = open_folder(location)
    if not folder.exists():
        raise EmptyDataError(f"there are no images at {location}: no such folder or file")
    files = tuple(pictures_below(folder, ""))
    if not files:
        raise EmptyDataError(
            f"no image in {location}: files that end in {', '.join(sorted(IMAGE_ENDINGS))} are "
            "looked for, in its folders too"
        )
    return Source(folder, files)


def read_pictures(
    source: Source, size: int, threads: int, most: int
) -> Iterator[Picture | Unreadable]:
    """Each file of ``source``, in order, at ``size`` pixels; at most ``most`` ahead of the taker.

    Preprocessing is that of training and evaluation (memseg.data.decoding). Raises
    StorageDownError where the storage is gone: then no further file could be read either. One
    file on a bad place of a disk is unreadable like any other; several one after another are not.
    """
    lost_in_a_row = 0

    def read(file: FileInfo) -> Picture | Unreadable:
        nonlocal lost_in_a_row
        try:
            picture = _read(source.folder, file, size)
            lost_in_a_row = 0
            return picture
        except StorageDownError as error:
            lost_in_a_row += 1
            if lost_in_a_row > _MOST_LOST or not source.folder.exists():
                raise
            return Unreadable(file.path, str(error))
        except (DataError, StorageError) as error:
            return Unreadable(file.path, str(error))
        except MemoryError:
            return Unreadable(file.path, f"{file.path}: there is no memory to decode it: save it "
                                         "smaller")  # fmt: skip

    return ahead(read, source.files, threads, most)


def _read(folder: Folder, file: FileInfo, size: int) -> Picture:
    if file.size > LARGEST_FILE:
        raise DataError(
            f"{file.path} has {file.size / 2**20:.0f} MiB, more than the limit of "
            f"{LARGEST_FILE // 2**20}: save it smaller"
        )
    with room_for_file(file.size) as held:
        data = folder.read(file.path)
        if held:
            return _decoded(data, file.path, size)
    with room_for(data):
        return _decoded(data, file.path, size)


def _decoded(data: bytes, name: str, size: int) -> Picture:
    image = read_image(data, name)
    height, width = image.shape[:2]
    return Picture(name, resize_image(image, size), width, height)
