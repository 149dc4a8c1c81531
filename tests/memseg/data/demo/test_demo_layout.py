"""The demo's folders: complete or marked as unfinished, never mixed with other people's files."""

import json

import cv2
import numpy as np
import pytest

from memseg.data.demo import DEMO_CATEGORIES, draw_demo, layout
from memseg.data.demo.lines import LINES, render
from memseg.errors import DataError, SettingError, StorageError

SMALL = {"size": 32, "normal": 2}


def _contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    assert draw_demo(folder, **SMALL) == DEMO_CATEGORIES
    return folder


class StoppedError(Exception):
    """The process ends here."""


@pytest.fixture
def stop_after(monkeypatch):
    """Makes drawing end with StoppedError at its k-th image."""

    def arrange(k):
        calls = iter(range(10_000))

        def interrupted(*args, **kwargs):
            if next(calls) == k:
                raise StoppedError
            return render(*args, **kwargs)

        monkeypatch.setattr(layout, "render", interrupted)

    return arrange


def test_the_layout_is_mvtec_ads(drawn):
    for category, line in LINES.items():
        folder = drawn / category
        assert sorted(p.name for p in folder.iterdir()) == ["ground_truth", "test", "train"]
        assert sorted(p.name for p in (folder / "train").iterdir()) == ["good"]
        assert len(list((folder / "train/good").glob("*.png"))) == 2
        assert len(list((folder / "test/good").glob("*.png"))) == 8
        assert {p.name for p in (folder / "test").iterdir()} == {"good", *line.defects}
        assert {p.name for p in (folder / "ground_truth").iterdir()} == set(line.defects)
        for defect, count in line.defects.items():
            images = {p.stem for p in (folder / "test" / defect).iterdir()}
            masks = {p.stem for p in (folder / "ground_truth" / defect).iterdir()}
            assert len(images) == count
            assert masks == {f"{stem}_mask" for stem in images}


def test_files_hold_what_was_rendered(drawn):
    for category, line in LINES.items():
        defect = next(iter(line.defects))
        expected = render(category, "test", 1, size=32, seed=0, defect=defect)
        image = cv2.imread(str(drawn / category / "test" / defect / "001.png"))
        mask = cv2.imread(
            str(drawn / category / "ground_truth" / defect / "001_mask.png"), cv2.IMREAD_UNCHANGED
        )
        assert np.array_equal(image[:, :, ::-1], expected.image)
        assert np.array_equal(mask, expected.mask * np.uint8(255))


def test_no_two_images_are_equal(drawn):
    images = [data for path, data in _contents(drawn).items() if "_mask" not in path]
    assert len(set(images)) == len(images)


def test_the_same_arguments_give_the_same_bytes(drawn, tmp_path):
    draw_demo(str(tmp_path), **SMALL)
    assert _contents(tmp_path) == _contents(drawn)


def test_another_seed_gives_other_images_and_more_images_leave_the_first_alone(drawn, tmp_path):
    draw_demo(tmp_path / "seed", **SMALL, seed=1)
    draw_demo(tmp_path / "more", size=32, normal=3)
    before = _contents(drawn / "connector")
    assert _contents(tmp_path / "seed" / "connector") != before
    more = _contents(tmp_path / "more" / "connector")
    assert more.pop("train/good/002.png")
    assert more == before


def test_a_complete_demo_is_not_drawn_again(tmp_path, stop_after):
    draw_demo(tmp_path, **SMALL)
    times = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    stop_after(0)
    assert draw_demo(tmp_path, **SMALL) == DEMO_CATEGORIES
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == times


@pytest.mark.parametrize("k", [0, 1, 30, 60])
def test_an_interrupted_drawing_has_no_marker_and_is_finished_by_the_next_call(
    drawn, tmp_path, stop_after, monkeypatch, k
):
    stop_after(k)
    with pytest.raises(StoppedError):
        draw_demo(tmp_path, **SMALL)
    assert not (tmp_path / "DEMO.json").exists()
    monkeypatch.undo()
    draw_demo(tmp_path, **SMALL)
    assert _contents(tmp_path) == _contents(drawn)


def test_an_interrupted_change_of_the_arguments_leaves_nothing_of_the_earlier_demo(
    drawn, tmp_path, stop_after, monkeypatch
):
    draw_demo(tmp_path, size=32, normal=4, seed=3)
    stop_after(20)
    with pytest.raises(StoppedError):
        draw_demo(tmp_path, size=32, normal=3)
    assert not (tmp_path / "DEMO.json").exists()
    monkeypatch.undo()
    draw_demo(tmp_path, **SMALL)
    assert _contents(tmp_path) == _contents(drawn)


def test_a_lost_file_is_drawn_again(drawn, tmp_path):
    draw_demo(tmp_path, **SMALL)
    (tmp_path / "connector/ground_truth/bent_pin/000_mask.png").unlink()
    draw_demo(tmp_path, **SMALL)
    assert _contents(tmp_path) == _contents(drawn)


def test_other_peoples_images_are_neither_replaced_nor_deleted(tmp_path):
    theirs = tmp_path / "connector/train/good/000.png"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"a photograph")
    with pytest.raises(DataError, match="connector holds files that are not the demo's"):
        draw_demo(tmp_path, **SMALL)
    assert _contents(tmp_path) == {"connector/train/good/000.png": b"a photograph"}


def test_categories_of_other_names_beside_the_demo_are_left_alone(tmp_path):
    theirs = tmp_path / "screw/train/good/000.png"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"a photograph")
    draw_demo(tmp_path, **SMALL)
    draw_demo(tmp_path, size=32, normal=1)
    assert theirs.read_bytes() == b"a photograph"


@pytest.mark.parametrize(
    "marker",
    [
        {"files": ["../victim.png"]}, {"files": ["/victim.png"]}, {"files": ["screw/1.png"]},
        {"files": 3}, [1],
    ],
)  # fmt: skip
def test_a_marker_that_the_demo_did_not_write_deletes_nothing(tmp_path, marker):
    victim = tmp_path / "victim.png"
    victim.write_bytes(b"precious")
    target = tmp_path / "demo"
    others = target / "screw" / "1.png"
    others.parent.mkdir(parents=True)
    others.write_bytes(b"another line's")
    (target / "DEMO.json").write_text(json.dumps(marker))
    with pytest.raises(DataError, match="was not written by the demo"):
        draw_demo(target, **SMALL)
    assert victim.read_bytes() == b"precious"
    assert others.read_bytes() == b"another line's"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 31}, "size must be from 32 to 1024, got 31"),
        ({"size": 1025}, "size must be from 32 to 1024, got 1025"),
        ({"normal": 0}, "normal must be from 1 to 999, got 0"),
        ({"normal": 1000}, "normal must be from 1 to 999, got 1000"),
        ({"seed": -1}, "seed must be from 0 to"),
    ],
)
def test_arguments_out_of_range_are_named_and_nothing_is_written(tmp_path, arguments, message):
    with pytest.raises(SettingError, match=message):
        draw_demo(tmp_path / "demo", **arguments)
    assert not (tmp_path / "demo").exists()


def test_a_target_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="is a file, a folder is needed"):
        draw_demo(tmp_path / "file", **SMALL)
