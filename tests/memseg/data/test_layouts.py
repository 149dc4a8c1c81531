from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memseg.data.layouts import LayoutConfig, discover_categories, list_category
from memseg.errors import DataError, EmptyDataError, SettingError
from memseg.storage import open_folder

MVTEC = LayoutConfig()
Make = Callable[..., None]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes files by path; listing opens none, so they need not be images."""

    def touch(*paths: str) -> None:
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(b"x")

    return touch


def listed(root: Path, layout: LayoutConfig = MVTEC, category: str = "c") -> list[Any]:
    files = list_category(open_folder(root), layout, category)
    return [
        (t.image.path, t.defect, t.anomalous, t.mask.path if t.mask else None) for t in files.test
    ]


def refused(root: Path, message: str, layout: LayoutConfig = MVTEC, category: str = "c") -> None:
    with pytest.raises(DataError, match=message):
        list_category(open_folder(root), layout, category)


def test_categories_are_found_by_their_training_folder(mvtec_root: Path) -> None:
    (mvtec_root / "textures").mkdir()
    (mvtec_root / ".cache/train/good").mkdir(parents=True)
    assert discover_categories(open_folder(mvtec_root), MVTEC) == ("01", "no")


def test_a_category_without_images_is_found_and_then_refused(mvtec_root: Path) -> None:
    (mvtec_root / "empty/train/good").mkdir(parents=True)
    assert "empty" in discover_categories(open_folder(mvtec_root), MVTEC)
    with pytest.raises(EmptyDataError, match="category 'empty' has no normal image"):
        list_category(open_folder(mvtec_root), MVTEC, "empty")


def test_a_missing_root_is_said(tmp_path: Path) -> None:
    with pytest.raises(EmptyDataError, match=r"nowhere does not exist"):
        discover_categories(open_folder(tmp_path / "nowhere"), MVTEC)


def test_a_root_without_categories_is_said_with_what_would_help(tmp_path: Path, make: Make) -> None:
    with pytest.raises(EmptyDataError, match="none of its 0 folders"):
        discover_categories(open_folder(tmp_path), MVTEC)
    make("c/train/ok/1.png")
    with pytest.raises(EmptyDataError, match="layout btad would fit"):
        discover_categories(open_folder(tmp_path), MVTEC)
    make("c/train/good/1.png")
    with pytest.raises(EmptyDataError, match="the folder above"):
        discover_categories(open_folder(tmp_path / "c"), MVTEC)


def test_a_folder_with_an_impossible_name_is_said(tmp_path: Path, make: Make) -> None:
    make("-x/train/good/1.png")
    with pytest.raises(DataError, match="'-x' begins with '-'"):
        discover_categories(open_folder(tmp_path), MVTEC)


@pytest.mark.parametrize("name", ["..", "../data/no", "", "no/"])
def test_a_category_cannot_leave_the_root(mvtec_root: Path, name: str) -> None:
    with pytest.raises(DataError, match="category name"):
        list_category(open_folder(mvtec_root), MVTEC, name)


@pytest.mark.parametrize("name", ["no", "01"])
def test_a_category_is_listed(mvtec_root: Path, name: str) -> None:
    files = list_category(open_folder(mvtec_root), MVTEC, name)
    assert [f.path for f in files.train] == [f"{name}/train/good/{i:03}.png" for i in range(4)]
    assert files.has_masks
    assert listed(mvtec_root, category=name) == [
        (f"{name}/test/good/000.png", "good", False, None),
        (f"{name}/test/scratch/000.png", "scratch", True,
         f"{name}/ground_truth/scratch/000_mask.png"),
    ]  # fmt: skip


def test_an_unknown_category_is_said_with_the_nearest(mvtec_root: Path, make: Make) -> None:
    with pytest.raises(EmptyDataError, match=r"no category 'noo'.*did you mean 'no'"):
        list_category(open_folder(mvtec_root), MVTEC, "noo")


def test_no_normal_image_is_said(tmp_path: Path, make: Make) -> None:
    make("c/test/good/1.png", "c/train/good/readme.txt", "c/train/good/.1.png")
    refused(tmp_path, "'c' has no normal image")


def test_no_test_images_are_fine(tmp_path: Path, make: Make) -> None:
    make("c/train/good/1.png")
    assert listed(tmp_path) == []
    assert list_category(open_folder(tmp_path), MVTEC, "c").has_masks


def test_endings_are_read_in_any_case_and_sorted(tmp_path: Path, make: Make) -> None:
    make(*(f"c/train/good/{n}" for n in ("b.PNG", "a.JPeG", "c.tiff", "d.bmp", "e.webp", "f.Tif")))
    files = list_category(open_folder(tmp_path), MVTEC, "c")
    assert [f.path[13:] for f in files.train] == [
        "a.JPeG", "b.PNG", "c.tiff", "d.bmp", "e.webp", "f.Tif",
    ]  # fmt: skip


def test_an_image_that_would_be_passed_over_is_an_error(tmp_path: Path, make: Make) -> None:
    make("c/train/good/1.png", "c/train/good/2.gif")
    refused(tmp_path, r"2\.gif is in a format that is not read")


def test_images_in_unexpected_folders_are_an_error(tmp_path: Path, make: Make) -> None:
    make("c/train/good/1.png", "c/train/good/more/2.png")
    refused(tmp_path, "more/2.png lies deeper")
    make("d/train/good/1.png", "d/test/3.png")
    refused(tmp_path, "3.png does not lie in a folder of its defect type", category="d")


def test_a_missing_mask_is_named(mvtec_root: Path) -> None:
    (mvtec_root / "no/ground_truth/scratch/000_mask.png").unlink()
    refused(
        mvtec_root,
        r"no/test/scratch/000\.png has no mask no/ground_truth/scratch/000_mask\.png",
        category="no",
    )


def test_a_mask_without_an_image_is_named(mvtec_root: Path) -> None:
    (mvtec_root / "no/test/scratch/000.png").unlink()
    refused(mvtec_root, r"mask no/ground_truth/scratch/000_mask\.png", category="no")


def test_a_mask_with_another_name_is_named(tmp_path: Path, make: Make) -> None:
    make("c/train/good/1.png", "c/test/dent/1.png", "c/ground_truth/dent/1.png")
    refused(tmp_path, r"ground_truth/dent/1\.png belongs to no image")


def test_two_images_or_masks_of_one_name_are_an_error(tmp_path: Path, make: Make) -> None:
    make("c/train/good/1.png", "c/test/dent/1.png", "c/test/dent/1.bmp")
    refused(tmp_path, "two images of one name")


def test_good_in_another_place_of_the_path_means_nothing(tmp_path: Path, make: Make) -> None:
    make("good/train/good/1.png", "good/test/bent/good.png", "good/ground_truth/bent/good_mask.png")
    assert listed(tmp_path, category="good") == [
        ("good/test/bent/good.png", "bent", True, "good/ground_truth/bent/good_mask.png")
    ]


def test_btad_is_listed(tmp_path: Path, make: Make) -> None:
    btad = LayoutConfig(kind="btad")
    make("01/train/ok/1.bmp", "01/test/ok/2.bmp", "01/test/ko/3.bmp", "01/ground_truth/ko/3.png")
    assert discover_categories(open_folder(tmp_path), btad) == ("01",)
    assert listed(tmp_path, btad, "01") == [
        ("01/test/ko/3.bmp", "ko", True, "01/ground_truth/ko/3.png"),
        ("01/test/ok/2.bmp", "good", False, None),
    ]
    make("01/test/ko/4.bmp")
    refused(tmp_path, "4.bmp has no mask", btad, "01")
    make("01/ground_truth/ko/4.png", "01/test/other/5.bmp")
    refused(tmp_path, "neither in test/ok nor in test/ko", btad, "01")


def test_own_folders_are_listed_with_and_without_masks(tmp_path: Path, make: Make) -> None:
    make(
        "c/ok/monday/1.jpg", "c/ok/2.jpg", "c/check/3.jpg",
        "c/bad/scratch/4.jpg", "c/bad/5.jpg", "c/truth/scratch/4_mask.png", "c/truth/5.png",
    )  # fmt: skip
    bare = LayoutConfig(kind="folder", normal="ok")
    assert listed(tmp_path, bare) == []
    without = LayoutConfig(kind="folder", normal="ok/", test_normal="check", abnormal="bad")
    assert listed(tmp_path, without) == [
        ("c/bad/5.jpg", "abnormal", True, None),
        ("c/bad/scratch/4.jpg", "scratch", True, None),
        ("c/check/3.jpg", "good", False, None),
    ]
    files = list_category(open_folder(tmp_path), without, "c")
    assert not files.has_masks
    assert [f.path for f in files.train] == ["c/ok/2.jpg", "c/ok/monday/1.jpg"]
    masked = LayoutConfig(kind="folder", normal="ok", abnormal="bad", masks="truth")
    assert [row[3] for row in listed(tmp_path, masked)] == [
        "c/truth/5.png", "c/truth/scratch/4_mask.png",
    ]  # fmt: skip
    make("c/truth/scratch/4.png")
    refused(tmp_path, "has two masks", masked)


def test_own_folders_must_be_there(tmp_path: Path, make: Make) -> None:
    make("c/ok/1.png")
    layout = LayoutConfig(kind="folder", normal="ok", abnormal="bad")
    refused(tmp_path, "no folder bad: correct the setting abnormal", layout)


def test_normal_images_among_anomalous_ones_are_an_error(tmp_path: Path, make: Make) -> None:
    make("c/ok/1.png", "c/test/good/1.png", "c/test/dent/1.png")
    layout = LayoutConfig(kind="folder", normal="ok", abnormal="test")
    refused(tmp_path, "among the anomalous images", layout)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "mvtec"}, "one of mvtec_ad, btad, folder"),
        ({"kind": "btad", "masks": "m"}, "layout.masks is for layout.kind folder only"),
        ({"kind": "folder", "normal": "../x"}, "layout.normal must be a folder below"),
        ({"kind": "folder", "normal": "/x"}, "layout.normal must be a folder below"),
        ({"kind": "folder", "normal": ""}, "layout.normal must be a folder below"),
        ({"kind": "folder", "normal": "a", "test_normal": "a"}, "one meaning"),
        ({"kind": "folder", "normal": "a/good", "abnormal": "a"}, "one meaning"),
        ({"kind": "folder", "normal": "a", "masks": "m"}, "needs layout.abnormal"),
    ],
)
def test_impossible_layouts_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        LayoutConfig(**settings)
