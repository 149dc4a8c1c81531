"""Where the images of a category lie: which are normal, which anomalous, which mask is whose.

What a file is follows from the folders named here and from nothing else in its path.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from memseg.config.settings import Group, setting
from memseg.data.categories import check_category_name
from memseg.data.listing import CategoryFiles, TestFile, has_images, images_below, match_masks
from memseg.errors import DataError, EmptyDataError, SettingError
from memseg.storage import FileInfo, Folder

__all__ = ["CategoryFiles", "LayoutConfig", "TestFile", "discover_categories", "list_category"]

NORMAL = "good"
"""Defect type of normal test images, in every layout."""


@dataclass(frozen=True)
class LayoutConfig(Group):
    """How a data set is arranged below ``<root>/<category>``.

    mvtec_ad: train/good, test/good, test/<defect>, ground_truth/<defect>/<image>_mask.png
    btad: train/ok, test/ok, test/ko, ground_truth/ko/<image>.png
    folder: the folders named by the other settings
    """

    NAME: ClassVar[str] = "layout"
    kind: Literal["mvtec_ad", "btad", "folder"] = setting(
        "mvtec_ad", "mvtec_ad, btad, or folder: the category's folders by the names below"
    )
    normal: str = setting("train/good", "folder: where the normal training images are")
    test_normal: str | None = setting(None, "folder: where normal test images are, if any")
    abnormal: str | None = setting(
        None, "folder: where anomalous test images are, if any; subfolders are defect types"
    )
    masks: str | None = setting(
        None, "folder: where their masks are, if any, with the same subfolders and names"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        given = {n: getattr(self, n) for n in ("normal", "test_normal", "abnormal", "masks")}
        if self.kind != "folder":
            for name, value in given.items():
                if value not in (None, "train/good"):
                    raise SettingError(
                        f"layout.{name} is for layout.kind folder only, the kind is {self.kind}"
                    )
            return
        folders = {
            name: _checked(name, value) for name, value in given.items() if value is not None
        }
        for name, value in folders.items():
            object.__setattr__(self, name, value)
        _check_apart(folders)
        if self.masks and not self.abnormal:
            raise SettingError("layout.masks needs layout.abnormal: whose masks are they?")

    @property
    def train_folder(self) -> str:
        """Folder of the normal training images below the category's."""
        return {"mvtec_ad": "train/good", "btad": "train/ok", "folder": self.normal}[self.kind]


def _checked(name: str, value: str) -> str:
    path = value.strip("/") if not value.startswith("/") else value
    if not path or path.startswith("/") or "\\" in path or {"", ".", ".."} & set(path.split("/")):
        raise SettingError(
            f"layout.{name} must be a folder below the category's, like train/good, got {value!r}"
        )
    return path


def _check_apart(folders: Mapping[str, str]) -> None:
    for name, path in folders.items():
        for other, inside in folders.items():
            if name != other and f"{inside}/".startswith(f"{path}/"):
                raise SettingError(
                    f"layout.{other} ({inside}) lies in layout.{name} ({path}): each image must "
                    "have one meaning"
                )


def discover_categories(root: Folder, layout: LayoutConfig) -> tuple[str, ...]:
    """Names of the folders that have a folder for training images, sorted.

    One whose folder is empty is among them: ``list_category`` says so, rather than that a
    product line goes missing without a word. Raises EmptyDataError where the root is missing or
    no category has an image, DataError for a folder whose name cannot be a category's.
    """
    if not root.is_folder():
        raise EmptyDataError(f"the data root {root.path} does not exist: set data.root")
    names = [name for name in root.folders() if not name.startswith(".")]
    found = [name for name in names if root.is_folder(f"{name}/{layout.train_folder}")]
    if not any(has_images(root, f"{name}/{layout.train_folder}") for name in found):
        raise EmptyDataError(
            f"no category below {root.path}: none of its {len(names)} folders has images in "
            f"{layout.train_folder} (layout {layout.kind}){_hint(root, layout, names)}"
        )
    return tuple(check_category_name(name) for name in found)


def _hint(root: Folder, layout: LayoutConfig, names: list[str]) -> str:
    if root.is_folder(layout.train_folder):
        return "; it looks like one category itself, set data.root to the folder above"
    for kind in ("mvtec_ad", "btad"):
        other = LayoutConfig(kind=kind)
        if any(root.is_folder(f"{name}/{other.train_folder}") for name in names):
            return f"; layout {kind} would fit, it looks in {other.train_folder}"
    return ""


def list_category(root: Folder, layout: LayoutConfig, category: str) -> CategoryFiles:
    """All images and masks of a category; none is opened.

    Raises DataError for a bad name, a mask without an image, an image without a mask (in
    mvtec_ad and btad, and in folder where masks are named), two files of one name; and
    EmptyDataError where the category or its normal images are missing.
    """
    check_category_name(category)
    if not root.is_folder(category):
        near = difflib.get_close_matches(category, root.folders(), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise EmptyDataError(f"there is no category {category!r} in {root.path}{hint}")
    where = f"{category}/{layout.train_folder}"
    train = images_below(root, where)
    if layout.kind != "folder":
        _check_flat(train, where)
    if not train:
        raise EmptyDataError(
            f"category {category!r} has no normal image: {root.at(where)} is missing or holds "
            "no images"
        )
    test = _TESTS[layout.kind](root, layout, category)
    return CategoryFiles(category, tuple(train), tuple(sorted(test, key=lambda t: t.image.path)))


def _mvtec_test(root: Folder, layout: LayoutConfig, category: str) -> list[TestFile]:
    folder, truth = f"{category}/test", f"{category}/ground_truth"
    images = images_below(root, folder)
    for file in images:
        if file.path[len(folder) + 1 :].count("/") != 1:
            raise DataError(
                f"{file.path} does not lie in a folder of its defect type (test/<defect>/<image>)"
            )
    pairs = match_masks(
        images=images,
        images_folder=folder,
        masks=images_below(root, truth),
        masks_folder=truth,
        endings=("_mask",),
        optional=lambda file: file.path.startswith(f"{folder}/{NORMAL}/"),
    )
    tests = []
    for image, mask in pairs:
        defect = image.path.split("/")[-2]
        tests.append(TestFile(image, defect, defect != NORMAL, mask))
    return tests


def _btad_test(root: Folder, layout: LayoutConfig, category: str) -> list[TestFile]:
    folder, truth = f"{category}/test", f"{category}/ground_truth"
    images = images_below(root, folder)
    for file in images:
        if file.path[len(folder) + 1 :].split("/")[:-1] not in (["ok"], ["ko"]):
            raise DataError(f"{file.path} lies neither in test/ok nor in test/ko (layout btad)")
    pairs = match_masks(
        images=images,
        images_folder=folder,
        masks=images_below(root, truth),
        masks_folder=truth,
        endings=("",),
        optional=lambda file: file.path.startswith(f"{folder}/ok/"),
    )
    tests = []
    for image, mask in pairs:
        anomalous = image.path.startswith(f"{folder}/ko/")
        tests.append(TestFile(image, "ko" if anomalous else NORMAL, anomalous, mask))
    return tests


def _folder_test(root: Folder, layout: LayoutConfig, category: str) -> list[TestFile]:
    tests: list[TestFile] = []
    for name in ("test_normal", "abnormal", "masks"):
        folder = getattr(layout, name)
        if folder and not root.is_folder(f"{category}/{folder}"):
            raise EmptyDataError(
                f"category {category!r} has no folder {folder}: correct the setting {name}, or "
                "leave it out"
            )
    if layout.test_normal:
        normal = images_below(root, f"{category}/{layout.test_normal}")
        tests += [TestFile(image, NORMAL, False, None) for image in normal]
    if not layout.abnormal:
        return tests
    where = f"{category}/{layout.abnormal}"
    truth = f"{category}/{layout.masks}" if layout.masks else ""
    pairs = match_masks(
        images=images_below(root, where),
        images_folder=where,
        masks=images_below(root, truth) if truth else [],
        masks_folder=truth,
        endings=("", "_mask"),
        optional=lambda _: not truth,
    )
    for image, mask in pairs:
        defect = image.path[len(where) + 1 :].rpartition("/")[0] or "abnormal"
        if defect == NORMAL:
            raise DataError(
                f"{image.path} lies among the anomalous images in a folder named {NORMAL!r}: "
                "move it to the normal test images (setting test_normal)"
            )
        tests.append(TestFile(image, defect, True, mask))
    return tests


_TESTS: Mapping[str, Callable[[Folder, LayoutConfig, str], list[TestFile]]] = {
    "mvtec_ad": _mvtec_test,
    "btad": _btad_test,
    "folder": _folder_test,
}


def _check_flat(files: list[FileInfo], folder: str) -> None:
    for file in files:
        if "/" in file.path[len(folder) + 1 :]:
            raise DataError(f"{file.path} lies deeper than {folder}: move it there, or out of it")
