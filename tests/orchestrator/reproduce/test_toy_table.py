"""Table 6 from scores of toy sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from memseg.config import OBJECTS, TEXTURES
from memseg.evaluation.toy import ShapeScore, ToyScore
from memseg.storage import open_folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.reproduce import opening, toy
from orchestrator.reproduce.cells import shows_differences
from orchestrator.reproduce.experiment import Finished
from orchestrator.reproduce.experiments import TABLE_6
from orchestrator.reproduce.gathering import Gathered, Trials
from orchestrator.reproduce.toy import ToyFound, evaluate, make_toy, toy_table

Make = Callable[..., Any]


def score(image: float, pixel: float) -> ToyScore:
    shapes = {"star": ShapeScore(1, image, pixel), "heart": ShapeScore(2, image, 0.5)}
    return ToyScore(image, pixel, 0.9, 0.8, 3, 3, shapes, None, 0.0)


def found(*pairs: tuple[float, float]) -> ToyFound:
    return ToyFound(tuple(score(*pair) for pair in pairs), tuple(range(len(pairs))), b"PNG")


@pytest.fixture
def finished_of(part_of: Make, job_of: Make, tmp_path: Path) -> Callable[..., Finished]:
    def making(*categories: str, options: tuple[str, ...] = ()) -> Finished:
        part = part_of(TABLE_6, *categories, options=options)
        return Finished(part, {}, job_of(*options), Ledger(open_folder(tmp_path)))

    return making


def test_seeds_are_averaged_and_the_paper_stands_below(finished_of: Make) -> None:
    finished = finished_of("tile", "screw", options=("--seeds", "[0, 1]"))
    gathered = Gathered(
        {"tile": found((0.9, 0.8), (1.0, 0.9)), "screw": found((0.8, 0.7), (0.8, 0.9))}
    )
    table = toy_table(finished, gathered)
    lines = {line.category: line for line in table.lines}
    assert list(lines)[:5] == ["tile", "screw", "textures (1)", "objects (1)", "average (2)"]
    tile, average = lines["tile"].score, lines["average (2)"].score
    assert tile is not None
    assert average is not None
    assert tile.mean("image_auroc") == pytest.approx(0.95)
    assert tile.deviation("pixel_auroc") == pytest.approx(0.0707107)
    assert average.values["pixel_auroc"] == pytest.approx((0.75, 0.9))
    # Of some categories alone nothing is printed.
    assert lines["average (2)"].paper is None
    paper = lines["paper's MemSeg, all 15"].paper
    assert (paper.image_auroc, paper.pixel_auroc) == (0.9983, 0.9977)  # type: ignore[union-attr]
    assert lines["paper's PatchCore, all 15"].paper.pixel_auroc == 0.9933  # type: ignore[union-attr]
    texts = [c.text for c in table.conditions]
    assert any("neither in training nor for selection" in t for t in texts)
    assert "pixel AUROC by shape, mean over categories: star 82.50, heart 50.00" in texts


def test_some_categories_alone_have_no_difference_and_what_falls_short_is_loud(
    finished_of: Make,
) -> None:
    good, poor = found((0.999, 0.99), (0.997, 0.988)), found((0.9, 0.99), (1.0, 0.97))
    table = toy_table(finished_of("tile", "screw"), Gathered({"tile": good, "screw": poor}))
    assert not shows_differences(table)
    loud = [c.text for c in table.conditions if c.loud]
    assert "image AUROC below 99: screw 95.00" in loud
    assert "pixel AUROC below 98.5: screw 98.00" in loud
    fine = toy_table(finished_of("tile"), Gathered({"tile": good}))
    assert not any("below" in c.text for c in fine.conditions if c.loud)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("last", "used neither in training nor for selection"),
        ("validation", "the step of its run, was chosen among others by the same six shapes"),
        ("test", "used neither in training nor for selection"),
    ],
)
def test_shapes_that_chose_the_reported_step_are_said(
    finished_of: Make, monkeypatch: pytest.MonkeyPatch, way: str, said: str
) -> None:
    """With networks, images and pictures left out."""
    for name in ("open_product", "open_network", "normal_test_images"):
        monkeypatch.setattr(opening, name, Mock())
    monkeypatch.setattr("memseg.simulation.toy.toy_set", Mock())
    monkeypatch.setattr("memseg.evaluation.maps.anomaly_maps", Mock())
    drawn = Mock(return_value=b"PNG")
    monkeypatch.setattr("memseg.figures.toy.toy_figure", drawn)
    monkeypatch.setattr(
        "memseg.evaluation.toy.evaluate_toy",
        lambda *given: replace(score(1.0, 1.0), selection=given[-1]),
    )
    options = ("--preset", "default", "--training.reported_step", way)
    finished = finished_of("tile", options=options)
    tiles = evaluate(finished, {"all": finished.part.trials["all"]["tile"]})
    table = toy_table(finished, Gathered({"tile": tiles}))
    assert any(said in condition.text for condition in table.conditions)
    assert any(said in note for note in drawn.call_args.kwargs["notes"])


def test_with_all_categories_the_difference_is_told(finished_of: Make) -> None:
    every = (*TEXTURES, *OBJECTS)
    table = toy_table(finished_of(*every), Gathered(dict.fromkeys(every, found((0.99, 0.98)))))
    (line,) = [one for one in table.lines if one.category == "average (15)"]
    assert line.difference("image_auroc") == pytest.approx(0.99 - 0.9983)
    assert line.difference("pixel_auroc") == pytest.approx(0.98 - 0.9977)


def test_files_with_each_shape_and_what_is_missing(
    finished_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memseg.errors import WeightsError

    def evaluate(finished: Finished, trials: Trials) -> ToyFound:
        if trials["all"][0].category == "screw":
            raise WeightsError("the weights were not kept")
        return found((0.9, 0.8))

    monkeypatch.setattr(toy, "evaluate", evaluate)
    made = make_toy(finished_of("tile", "screw", options=("--preset", "best")))
    assert not made.complete
    assert set(made.files) == {
        "table6.md", "table6.csv", "table6.json", "table6_shapes.csv", "figure10-tile.png"
    }  # fmt: skip
    assert made.files["table6_shapes.csv"].decode().splitlines() == [
        "category,seed,shape,normal_images,toy_images,image_auroc,pixel_auroc,image_ap,pixel_ap",
        "tile,0,all,3,3,0.9,0.8,0.9,0.8",
        "tile,0,star,3,1,0.9,0.8,,",
        "tile,0,heart,3,2,0.9,0.5,,",
    ]
    text = made.files["table6.md"].decode()
    assert "MISSING: screw: the weights were not kept" in text
    assert "AUPRO" not in text
    assert "preset best" in text
    rows = json.loads(made.files["table6.json"])["rows"]
    assert [row["image_auroc"] for row in rows[:2]] == [0.9, None]
