"""A run into a folder: what it leaves, and what it leaves alone."""

from __future__ import annotations

import csv
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from memseg.data.decoding import decode_image
from memseg.errors import EmptyDataError, SettingError, StorageError
from memseg.metrics.image_score import image_score
from memseg.prediction import run, table
from memseg.prediction.model import Model
from memseg.prediction.run import Which, overlay_path, predict_into
from tests.memseg.prediction.test_stream import SIDE, Bright, model_of

Draw = Callable[..., list[Path]]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_leaves_tables_heat_maps_and_what_they_were_made_with(
    model: Model, draw: Draw, tmp_path: Path
) -> None:
    paths = draw(5)
    paths[1].write_bytes(b"broken")
    told: list[tuple[int, int]] = []
    summary = predict_into(
        str(tmp_path / "out"), model, str(tmp_path / "photos"), batch=2,
        progress=lambda done, of: told.append((done, of)),
    )  # fmt: skip
    assert told == [(i, 5) for i in range(1, 6)]
    assert (summary.images, summary.unreadable) == (5, 1)
    assert paths[1].name in summary.first_errors[0]
    with (tmp_path / "out" / "predictions.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    names = [row["file"] for row in rows]
    readable = [i for i in range(5) if i != 1]
    images = np.stack([decode_image(paths[i].read_bytes(), "", 64) for i in readable])
    maps = np.concatenate([model.backend.maps(images[:2]), model.backend.maps(images[2:])])
    assert [float(rows[i]["score"]) for i in readable] == list(image_score(maps, 100))
    assert rows[1]["score"] == ""
    parquet = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    assert list(parquet["file"]) == names
    overlays = {f"overlays/{names[i]}.png" for i in readable}
    assert set(files(tmp_path / "out")) == {
        "predictions.csv", "predictions.parquet", "prediction.json", *overlays,
    }  # fmt: skip
    shown = cv2.imread(str(tmp_path / "out" / min(overlays)))
    assert shown.shape == (38, 64, 3)  # 80 x 48, on 64
    about = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert about["model"] == {
        "category": "screw", "version": "aaaa0001", "location": model.location,
    }  # fmt: skip
    assert about["thresholds"]["image"] == {"value": 0.5, "policy": "false_positive_rate"}
    assert (about["precision"], about["batch_size"], about["size"]) == ("fp32", 2, 64)
    assert about["images"]["unreadable"] == 1
    assert "torch" in about["packages"]


def test_the_same_run_again_makes_the_same_bytes_and_leaves_others_alone(
    model: Model, draw: Draw, tmp_path: Path
) -> None:
    draw(3)
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    predict_into(str(out), model, str(tmp_path / "photos"))
    before = files(out)
    predict_into(str(out), model, str(tmp_path / "photos"))
    assert files(out) == before
    assert before["mine.txt"] == b"keep"


def test_an_interrupted_run_says_nothing_is_complete_and_is_made_again(
    model: Model, draw: Draw, tmp_path: Path
) -> None:
    draw(6)
    out, photos = tmp_path / "out", str(tmp_path / "photos")
    predict_into(str(out), model, photos)
    before = files(out)

    def stop(done: int, of: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_into(str(out), model, photos, batch=2, progress=stop)
    assert not (out / "prediction.json").exists()
    assert (out / "predictions.csv").read_bytes() == before["predictions.csv"]
    assert not [name for name in files(out) if name.endswith(".part")]
    predict_into(str(out), model, photos)
    assert files(out) == before


@pytest.mark.parametrize(
    ("which", "drawn"), [("none", []), ("anomalous", ["b"]), ("all", ["a", "b", "c"])]
)
def test_heat_maps_can_be_fewer(tmp_path: Path, which: Which, drawn: list[str]) -> None:
    (tmp_path / "photos").mkdir()
    for name, grey in (("a", 0), ("b", 255), ("c", 0)):
        cv2.imwrite(str(tmp_path / "photos" / f"{name}.png"), np.full((SIDE, SIDE, 3), grey))
    out = tmp_path / "out"
    summary = predict_into(str(out), model_of(Bright()), str(tmp_path / "photos"), overlays=which)
    assert summary.anomalous == 1
    found = sorted(path.name for path in (out / "overlays").rglob("*.png"))
    assert [name[0] for name in found] == drawn


def test_no_heat_map_of_an_earlier_run_stays_beside_other_results(
    model: Model, draw: Draw, tmp_path: Path
) -> None:
    draw(3)
    out, photos = tmp_path / "out", tmp_path / "photos"
    predict_into(str(out), model, str(photos))
    assert len(list((out / "overlays").rglob("*.png"))) == 3
    first = min(photos.rglob("*.png"))
    first.write_bytes(b"unreadable")
    predict_into(str(out), model, str(photos))
    assert len(list((out / "overlays").rglob("*.png"))) == 2
    predict_into(str(out), model, str(photos), overlays="none")
    assert not list((out / "overlays").rglob("*.png"))


def test_an_output_that_would_become_images_is_refused(
    model: Model, draw: Draw, tmp_path: Path
) -> None:
    draw(1)
    photos = tmp_path / "photos"
    for out in (photos, photos / "out", tmp_path / "photos" / ".." / "photos"):
        with pytest.raises(SettingError, match="heat maps there would be images"):
            predict_into(str(out), model, str(photos))
    draw(1, folder="old/overlays")
    with pytest.raises(SettingError, match="heat maps of an earlier run"):
        predict_into(str(tmp_path / "old"), model, str(tmp_path / "old" / "overlays"))
    # One file may lie beside its output.
    draw(1, folder="one")
    predict_into(str(tmp_path / "one" / "a"), model, str(tmp_path / "one" / "a" / "0000.png"))


def test_an_output_that_cannot_be_written_is_said(
    model: Model, draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(2)
    photos = str(tmp_path / "photos")
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="is a file"):
        predict_into(str(tmp_path / "file"), model, photos)
    with pytest.raises(SettingError, match="on this machine"):
        predict_into("s3://bucket/out", model, photos)
    with pytest.raises(StorageError, match="not UTF-8"):
        predict_into(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9"), model, photos)
    with pytest.raises(StorageError, match="cannot write into"):
        predict_into(str(tmp_path / "file" / "below"), model, photos)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "_write", full)
    with pytest.raises(StorageError, match="No space left"):
        predict_into(str(tmp_path / "out"), model, photos)
    assert not (tmp_path / "out" / "prediction.json").exists()


def test_a_name_that_is_as_long_as_can_be_has_a_heat_map(
    model: Model, draw: Draw, tmp_path: Path
) -> None:
    (path,) = draw(1)
    path.rename(path.with_name("ä" * 125 + ".png"))
    predict_into(str(tmp_path / "out"), model, str(tmp_path / "photos"))
    (drawn,) = (tmp_path / "out" / "overlays" / "a").iterdir()
    assert drawn.name.startswith("ä" * 40 + "-")
    assert overlay_path(tmp_path, "a/b.png") == tmp_path / "a" / "b.png.png"


def test_a_folder_that_is_called_as_a_heat_map_is_called_otherwise(
    model: Model, draw: Draw, tmp_path: Path
) -> None:
    (path,) = draw(1)
    below = path.with_name(path.name + ".png")
    below.mkdir()
    (below / "y.png").write_bytes(path.read_bytes())
    assert predict_into(str(tmp_path / "out"), model, str(tmp_path / "photos")).unreadable == 0
    drawn = sorted((tmp_path / "out" / "overlays").rglob("*.png"))
    assert [one.name for one in drawn] == ["0000.png.png", "y.png.png"]
    assert drawn[1].parent.name.startswith("0000.png.png-")


def test_a_single_image_is_told_by_its_own_name(model: Model, draw: Draw, tmp_path: Path) -> None:
    (path,) = draw(1)
    predict_into(str(tmp_path / "out"), model, str(path))
    about = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert about["images"]["location"] == str(path)


def test_no_images_leave_no_folder(model: Model, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(EmptyDataError):
        predict_into(str(tmp_path / "out"), model, str(tmp_path / "photos"))
    assert not (tmp_path / "out").exists()


def test_memory_does_not_grow_with_the_number_of_images(
    model: Model, draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Python and NumPy hold at most, for 24 images and for more than six times as many."""
    monkeypatch.setattr(table, "ROWS_A_GROUP", 8)  # rows wait for their group, here only 8

    def peak(folder: str) -> int:
        tracemalloc.start()
        predict_into(str(tmp_path / f"out-{folder}"), model, str(tmp_path / folder), batch=2)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    draw(2, folder="first")
    draw(24, folder="few")
    draw(160, folder="many")
    peak("first")  # what is imported on the way
    few, many = peak("few"), peak("many")
    # A picture and its map are 28,672 bytes: all 136 more would be 3.9 MB. How many wait to be
    # drawn depends on the machine, but never more than 16.
    assert many < few + 1_000_000
