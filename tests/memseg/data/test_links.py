"""Links to files that are not there: no image is lost without a word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memseg.data.layouts import LayoutConfig, discover_categories, list_category
from memseg.data.links import BadLinks, bad_links
from memseg.data.listing import images_below, pictures_below
from memseg.errors import DataError, StorageError
from memseg.storage import open_folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A real image, a link to it, and a link to nothing in a linked folder."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "gone.png").symlink_to(tmp_path / "annex" / "1")
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "real.png").write_bytes(b"1")
    (folder / "linked.png").symlink_to(folder / "real.png")
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    return folder


def test_broken_links_are_found_at_any_depth_and_others_are_not(images: Path) -> None:
    assert bad_links(str(images)) == BadLinks(("more/gone.png",))
    assert bad_links(str(images / "none")) == BadLinks()


def test_a_link_to_a_folder_above_is_found_and_one_to_a_folder_beside_is_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to("../..")
    (tmp_path / "a" / "b" / "here").symlink_to(".")
    (tmp_path / "beside").symlink_to("a")
    (tmp_path / "again").symlink_to("a")
    found = bad_links(str(tmp_path))
    assert found.broken == ()
    assert {path.rpartition("/")[2] for path in found.upward} == {"up", "here"}


def test_two_links_to_a_folder_above_are_refused_before_they_are_followed(images: Path) -> None:
    """A listing would follow each from each, a trillion times."""
    for name in ("one", "two"):
        (images / name).symlink_to(images)
    folder = open_folder(images.parent)
    with pytest.raises(DataError, match=r"images/one is a link to a folder above it"):
        images_below(folder, "images")
    with pytest.raises(StorageError, match=r"images/one is a link to a folder above it"):
        pictures_below(folder, "images")


def test_a_link_upward_in_a_hidden_folder_is_passed_over_like_its_files(images: Path) -> None:
    (images / ".snapshots").mkdir()
    (images / ".snapshots" / "up").symlink_to(images)
    (images / "more").unlink()
    names = [file.path for file in pictures_below(open_folder(images), "")]
    assert names == ["linked.png", "real.png"]


def test_a_bad_link_is_the_matter_of_its_own_category(tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        (tmp_path / name / "train" / "good").mkdir(parents=True)
        (tmp_path / name / "train" / "good" / "1.png").write_bytes(b"1")
    (tmp_path / "first" / "train" / "good" / "up").symlink_to("..")
    os.symlink("/nowhere", os.fsencode(tmp_path) + b"/second/train/good/b\xe9.png")
    root, layout = open_folder(tmp_path), LayoutConfig()
    assert discover_categories(root, layout) == ("first", "second", "third")
    with pytest.raises(DataError, match="is a link to a folder above it"):
        list_category(root, layout, "first")
    with pytest.raises(StorageError, match="not UTF-8"):
        list_category(root, layout, "second")
    assert len(list_category(root, layout, "third").train) == 1


def test_a_link_to_nothing_whose_name_is_not_utf_8_is_said(tmp_path: Path) -> None:
    os.symlink("/nowhere", os.fsencode(tmp_path) + b"/b\xe9.png")
    for listed in (images_below, pictures_below):
        with pytest.raises(StorageError, match=r"not UTF-8 \(b'b\\xe9\.png'\)"):
            listed(open_folder(tmp_path), "")


def test_training_refuses_and_names_it(images: Path) -> None:
    with pytest.raises(DataError, match=r"images/more/gone\.png is a link to a file that is not"):
        images_below(open_folder(images.parent), "images")
    os.remove(images.parent / "elsewhere" / "gone.png")
    assert [f.path for f in images_below(open_folder(images), "")] == ["linked.png", "real.png"]


def test_a_prediction_has_a_row_for_it(images: Path) -> None:
    found = [f.path for f in pictures_below(open_folder(images), "")]
    assert found == ["linked.png", "more/gone.png", "real.png"]


def test_hidden_links_and_links_that_are_no_images_do_not_matter(images: Path) -> None:
    os.remove(images / "more")
    (images / "README.txt").symlink_to("nothing")
    (images / ".gone.png").symlink_to("nothing")
    assert len(images_below(open_folder(images), "")) == 2
