"""Image files in folders, and masks beside their images. By names only; nothing is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from memseg.data.links import bad_links
from memseg.errors import DataError, StorageDownError, StorageError
from memseg.storage import FileInfo, Folder

IMAGE_ENDINGS = frozenset({"png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp"})
_OTHER_IMAGES = frozenset(
    {"gif", "jp2", "j2k", "heic", "heif", "avif", "jxl", "exr", "hdr", "pgm", "ppm", "pnm",
     "raw", "dng", "dcm", "npy", "npz", "svg", "tga"}
)  # fmt: skip
"""Not read, and not passed over either: a data set without some of its images is another one."""


@dataclass(frozen=True)
class TestFile:
    """One test image."""

    __test__ = False  # not a test of pytest's

    image: FileInfo
    defect: str
    """Defect type; "good" for a normal image."""
    anomalous: bool
    """The label, from the folder."""
    mask: FileInfo | None
    """Ground truth. A normal image may have one too, and then it must be empty."""


@dataclass(frozen=True)
class CategoryFiles:
    """The files of a category, sorted by path. Paths are relative to the data root."""

    category: str
    train: tuple[FileInfo, ...]
    """Normal images."""
    test: tuple[TestFile, ...]
    """May be empty."""

    @property
    def has_masks(self) -> bool:
        """Whether each anomalous test image has a mask."""
        return all(file.mask is not None for file in self.test if file.anomalous)


def has_images(folder: Folder, relative: str) -> bool:
    """Whether there is any image at any depth, readable or not.

    Also where a name or a link keeps that from being told: who lists the folder says so, and
    meanwhile it is no other category's matter. Raises StorageDownError.
    """
    try:
        return bool(pictures_below(folder, relative))
    except StorageDownError:
        raise
    except StorageError:
        return True


def images_below(folder: Folder, relative: str) -> list[FileInfo]:
    """Image files at any depth, sorted by path; [] where there is no such folder.

    Hidden files and folders, and files that are no images (licences, notes), are passed over.
    Raises DataError for an image format that cannot be read, for a link to nothing, and for one to
    a folder above; StorageError for names that are not UTF-8.
    """
    try:
        broken = _links_to_nothing(folder, relative)
    except _LinkUpwardError as error:
        raise DataError(str(error)) from error
    if broken:
        raise DataError(
            f"{broken[0]} is a link to a file that is not there: fetch it (git-annex, DVC), mount "
            "its disk, or remove the link"
        )
    images = []
    for file in _visible(folder, relative):
        ending = _ending(file.path)
        if ending in _OTHER_IMAGES:
            raise DataError(
                f"{file.path} is in a format that is not read: save it as PNG, or remove it"
            )
        if ending in IMAGE_ENDINGS:
            images.append(file)
    return images


def pictures_below(folder: Folder, relative: str) -> list[FileInfo]:
    """Like ``images_below``, with files that cannot be read: who predicts says so.

    Raises StorageError for a link to a folder above and for names that are not UTF-8.
    """
    broken = _links_to_nothing(folder, relative)  # before the listing, which may go round in rings
    found = [
        file
        for file in _visible(folder, relative)
        if _ending(file.path) in IMAGE_ENDINGS | _OTHER_IMAGES
    ]
    found += [FileInfo(path, 0, 0) for path in broken]
    return sorted(found, key=lambda file: file.path)


def _visible(folder: Folder, relative: str) -> list[FileInfo]:
    start = len(relative) + 1 if relative else 0
    return [
        file for file in folder.files(relative, recursive=True) if not _is_hidden(file.path[start:])
    ]


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


class _LinkUpwardError(StorageError):
    """A link to a folder above."""


def _links_to_nothing(folder: Folder, relative: str) -> list[str]:
    """Images, by their names, that a listing leaves out; object stores have no links.

    Raises _LinkUpwardError, StorageError.
    """
    if not folder.is_local:
        return []
    links = bad_links(folder.at(relative))
    upward = [path for path in links.upward if not _is_hidden(path)]
    if upward:
        raise _LinkUpwardError(
            f"{folder.at(relative)}/{upward[0]} is a link to a folder above it, so that each "
            "file below would count again and again: remove it"
        )
    return [
        f"{relative}/{path}" if relative else path
        for path in links.broken
        if _ending(path) in IMAGE_ENDINGS | _OTHER_IMAGES and not _is_hidden(path)
    ]


def _ending(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2].lower()


def match_masks(
    images: Iterable[FileInfo],
    images_folder: str,
    masks: Iterable[FileInfo],
    masks_folder: str,
    endings: Sequence[str],
    optional: Callable[[FileInfo], bool],
) -> list[tuple[FileInfo, FileInfo | None]]:
    """Each image with its mask: the same path below its folder, with one of ``endings``.

    scratch/007.png has the mask scratch/007_mask.png for the ending "_mask"; the file formats
    need not be the same. ``optional`` says which images need no mask. Raises DataError for an
    image without a mask, a mask without an image, and for two files that are the same by name.
    """
    by_stem = _by_stem(images, images_folder, "images")
    owners: dict[str, list[FileInfo]] = {}
    for stem, mask in _by_stem(masks, masks_folder, "masks").items():
        # An image may itself be named "007_mask": all names that fit count.
        named = [stem.removesuffix(e) for e in endings if stem.endswith(e)]
        fitting = [name for name in named if name in by_stem]
        if not fitting:
            expected = " or ".join(f"<image>{e}" for e in endings)
            raise DataError(
                f"mask {mask.path} belongs to no image in {images_folder} (a mask is named "
                f"{expected}, in the folder of the same name): remove it, or add its image"
            )
        owners.setdefault(fitting[0], []).append(mask)
    pairs: list[tuple[FileInfo, FileInfo | None]] = []
    for stem, image in by_stem.items():
        found = owners.get(stem, [])
        if len(found) > 1:
            raise DataError(f"{image.path} has two masks, {found[0].path} and {found[1].path}")
        if not found and not optional(image):
            raise DataError(
                f"anomalous image {image.path} has no mask {masks_folder}/{stem}{endings[0]}.png: "
                "add the mask, or remove the image (layout folder works without masks)"
            )
        pairs.append((image, found[0] if found else None))
    return pairs


def _by_stem(files: Iterable[FileInfo], folder: str, what: str) -> dict[str, FileInfo]:
    stems: dict[str, FileInfo] = {}
    for file in files:
        stem = file.path[len(folder) + 1 :].rpartition(".")[0]
        if stem in stems:
            raise DataError(
                f"{stems[stem].path} and {file.path} are two {what} of one name: remove one"
            )
        stems[stem] = file
    return stems
