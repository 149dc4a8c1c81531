"""Figure 8 as a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from memseg.storage import open_folder
from orchestrator.ledger.ledger import Failed, Ledger
from orchestrator.reproduce.curve import make_curve
from orchestrator.reproduce.experiment import CATEGORIES, MVTEC_AD, Finished
from orchestrator.reproduce.experiments import FIGURE_8

Make = Callable[..., Any]


def finished(part: Any, records: Any, job: Any, tmp_path: Any) -> Finished:
    return Finished(part, records, job, Ledger(open_folder(tmp_path)))


def test_the_curve_is_a_picture_that_follows_the_figures(
    part_of: Make, records_of: Make, job_of: Make, tmp_path: Any
) -> None:
    part = part_of(FIGURE_8, "tile", options=("--seeds", "[0, 1]"))

    def drawn(image: float) -> bytes:
        figures = {
            (n, "tile", seed): (image - 0.01 * seed, 0.8)
            for n in ("1", "15", "30", "70") for seed in (0, 1)
        }  # fmt: skip
        made = make_curve(finished(part, records_of(part, figures), job_of(), tmp_path))
        assert set(made.files) == {"figure8.md", "figure8.csv", "figure8.json", "figure8.png"}
        return made.files["figure8.png"]

    picture = drawn(0.9)
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (720, 960, 3)
    assert drawn(0.9) == picture
    assert drawn(0.85) != picture


def test_one_point_is_no_curve(
    part_of: Make, records_of: Make, job_of: Make, tmp_path: Any
) -> None:
    part = part_of(FIGURE_8, "tile")
    records = records_of(part, {("30", "tile", 0): (0.9, 0.8)})
    made = make_curve(finished(part, records, job_of(), tmp_path))
    assert set(made.files) == {"figure8.md", "figure8.csv", "figure8.json"}


def test_the_picture_says_its_steps_and_what_its_bars_are(
    part_of: Make, records_of: Make, job_of: Make, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Figure, "supxlabel", lambda self, text, **_: said.append(text))
    for seeds in ((0,), (0, 1)):
        part = part_of(FIGURE_8, "tile", options=("--seeds", str(list(seeds))))
        figures = {(n, "tile", s): (0.9 - 0.1 * s, 0.8) for n in ("15", "30") for s in seeds}
        make_curve(finished(part, records_of(part, figures), job_of(), tmp_path))
    one, two = said
    assert "steps 2700" in one
    assert "bars" not in one
    assert "bars: sample standard deviation over the seeds" in two


def test_many_failures_leave_room_for_the_curves(
    part_of: Make, records_of: Make, job_of: Make, tmp_path: Any
) -> None:
    part = part_of(FIGURE_8, *CATEGORIES[MVTEC_AD])
    figures = {(n, "tile", 0): (0.9, 0.8) for n in ("1", "15", "30", "70")}
    records = records_of(part, figures)
    for trial in part.plan.trials:
        records.setdefault(
            trial.key, Failed({"kind": "data", "message": "an image is corrupt " * 12})
        )
    made = make_curve(finished(part, records, job_of(), tmp_path))
    pixels = cv2.imdecode(np.frombuffer(made.files["figure8.png"], np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert 720 < pixels.shape[0] < 1000
