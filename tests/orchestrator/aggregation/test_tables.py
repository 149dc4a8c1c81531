"""What the tables say, and that they leave nothing out in silence."""

from __future__ import annotations

import io
import json
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from memseg.config import OBJECTS, TEXTURES
from memseg.storage import open_folder
from orchestrator.aggregation.published import TABLE_1
from orchestrator.aggregation.rows import COLUMNS
from orchestrator.aggregation.tables import make_tables
from orchestrator.aggregation.write import render_files, write_tables
from orchestrator.ledger.ledger import Failed
from orchestrator.planning.possible import Dropped

Make = Callable[..., Any]
EXACT = [
    "category", "image_auroc", "pixel_auroc", "aupro", "selection", "trial", "steps",
    "encoder_weights", "trials_done", "trials_planned",
]  # fmt: skip


def frame(files: dict[str, bytes]) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(files["auroc.parquet"])).set_index("category")


def markdown(tables: Any) -> str:
    return render_files(tables)["auroc.md"].decode()


def test_the_columns_are_exactly_these_in_every_format(plan_of: Make, records_of: Make) -> None:
    plan = plan_of()
    files = render_files(make_tables(plan, records_of(plan)))
    assert list(COLUMNS) == EXACT
    assert list(pd.read_csv(io.BytesIO(files["auroc.csv"])).columns) == EXACT
    assert pq.read_table(io.BytesIO(files["auroc.parquet"])).column_names == EXACT
    assert all(list(row) == EXACT for row in json.loads(files["auroc.json"]))
    header = next(x for x in files["auroc.md"].decode().splitlines() if x.startswith("| category"))
    assert [name.strip() for name in header.strip("|").split("|")][: len(EXACT)] == EXACT


def test_all_formats_say_the_same(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile", "bolt"), seeds=(0, 1))
    files = render_files(make_tables(plan, records_of(plan, {
        ("screw", 0.02, 0): {"image": 1 / 3, "pixel": None}, ("tile", 0.04, 1): {},
    })))  # fmt: skip
    parquet = pq.read_table(io.BytesIO(files["auroc.parquet"])).to_pylist()
    assert parquet == json.loads(files["auroc.json"])
    read = pd.read_csv(io.BytesIO(files["auroc.csv"]), dtype={"trial": str})
    csv = read.astype(object).where(read.notna(), None).to_dict("records")
    assert csv == parquet


def test_averages_come_last_and_are_over_textures_objects_and_all(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("bolt", "screw", "tile", "wood"), rates=(0.04,))
    image = {"bolt": 0.1, "screw": 0.4, "tile": 0.6, "wood": 0.9}
    records = records_of(plan, {(c, 0.04, 0): {"image": v} for c, v in image.items()})
    table = frame(render_files(make_tables(plan, records)))
    assert list(table.index) == [*image, "mean", "mean_textures", "mean_objects"]
    assert table["image_auroc"]["mean"] == pytest.approx(0.5)
    assert table["image_auroc"]["mean_textures"] == pytest.approx(0.75)
    assert table["image_auroc"]["mean_objects"] == pytest.approx(0.4)
    assert table["trials_done"]["mean"] == 4
    assert table["trials_planned"]["mean_textures"] == 2
    assert set(table["selection"]) == {"synthetic"}


def test_an_average_with_nothing_in_it_is_empty(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("bolt",))
    tables = make_tables(plan, records_of(plan))
    rows = {row["category"]: row for row in json.loads(render_files(tables)["auroc.json"])}
    for name in ("mean_textures", "mean_objects"):
        assert rows[name]["image_auroc"] is None
        assert rows[name]["trials_planned"] == 0
        assert "in this sweep" in rows[name]["selection"]
    assert "| **mean_textures** | – | – | – |" in markdown(tables)  # noqa: RUF001


def test_a_missing_category_is_marked_in_every_average(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile"), rates=(0.04,), problems={"tile": "tile/train/7.png is half"})
    tables = make_tables(plan, records_of(plan))
    table = frame(render_files(tables))
    assert table["selection"]["mean"] == "synthetic; mean over 1 of 2 categories"
    assert table["selection"]["mean_objects"] == "synthetic"
    assert table["selection"]["mean_textures"] == "mean over 0 of 1 categories"
    assert (table["trials_done"]["mean"], table["trials_planned"]["mean"]) == (1, 2)
    assert np.isnan(table["image_auroc"]["tile"])
    assert (tables.done, tables.planned) == (1, 2)
    text = markdown(tables)
    assert "mean over 1 of 2 categories" in text
    assert "**INCOMPLETE: 1 of 2 trials are done**" in text
    assert "| tile | data | 1 | tile/train/7.png is half |" in text


def test_a_category_with_trials_left_is_marked(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile"))
    tables = make_tables(plan, records_of(plan, only=plan.trials[:3]))
    text = markdown(tables)
    assert "tile: best of 1 of 2 trials" in text
    assert "| tile | 90.00 † |" in text
    assert "| screw | 90.00 |" in text
    assert "INCOMPLETE: 3 of 4" in text


def test_a_category_that_is_called_mean_is_no_average(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("mean", "tile"))
    records = records_of(plan)
    records.pop(plan.trials_of("mean")[0].key)
    text = markdown(make_tables(plan, records))
    assert "| mean | 90.00 † |" in text
    assert "mean: best of 1 of 2 trials" in text


def test_an_undefined_metric_is_empty_with_its_reason_and_not_averaged_in_silence(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "tile"), rates=(0.04,))
    tables = make_tables(plan, records_of(plan, {
        ("screw", 0.04, 0): {"pixel": None}, ("tile", 0.04, 0): {"pixel": 0.6},
    }))  # fmt: skip
    table = frame(render_files(tables))
    assert np.isnan(table["pixel_auroc"]["screw"])
    assert table["pixel_auroc"]["mean"] == pytest.approx(0.6)
    assert table["selection"]["mean"] == "synthetic; pixel_auroc over 1 of 2"
    text = markdown(tables)
    assert "- screw: pixel_auroc is not defined: no pixel_auroc here" in text
    assert "- mean: pixel_auroc over 1 of 2" in text


def test_equal_inputs_give_equal_bytes_whatever_the_order_and_times(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "tile"))
    records = records_of(plan)
    files = render_files(make_tables(plan, records))
    again = render_files(make_tables(plan_of(("screw", "tile")), dict(reversed(records.items()))))
    assert files == again
    slower = {
        key: replace(r, result={**r.result, "seconds": {"total": 99.0}, "peak_memory_gib": 9.0})
        for key, r in records.items()
    }
    timed = render_files(make_tables(plan, slower))
    assert {n for n in files if files[n] != timed[n]} == {"trials.csv", "trials.parquet"}


def test_fractions_keep_their_digits_in_data_files_and_are_per_cent_in_markdown(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(rates=(0.04,))
    value = 0.98765432109876543
    files = render_files(
        make_tables(plan, records_of(plan, {("screw", 0.04, 0): {"image": value}}))
    )
    assert frame(files)["image_auroc"]["screw"] == value
    assert pd.read_csv(io.BytesIO(files["auroc.csv"]))["image_auroc"][0] == value
    assert "| screw | 98.77 | 80.00 | 70.00 | synthetic |" in files["auroc.md"].decode()


def test_the_paper_stands_beside_its_categories_and_no_others(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "bolt"), rates=(0.04,))
    lines = markdown(make_tables(plan, records_of(plan))).splitlines()
    assert next(x for x in lines if x.startswith("| screw")).endswith("| 97.80 | 98.00 | 61.00 |")
    assert next(x for x in lines if x.startswith("| bolt")).endswith("| – | – | 61.00 |")  # noqa: RUF001
    plan = plan_of(("bolt",), rates=(0.04,))
    assert "paper_image_auroc" not in markdown(make_tables(plan, records_of(plan)))


def test_the_papers_table_is_whole() -> None:
    assert list(TABLE_1) == [*TEXTURES, *OBJECTS]
    assert statistics.fmean(p.image_auroc for p in TABLE_1.values()) == pytest.approx(
        0.9956, abs=5e-5
    )
    assert statistics.fmean(p.pixel_auroc for p in TABLE_1.values()) == pytest.approx(
        0.9885, abs=5e-5
    )


@pytest.mark.parametrize(
    ("plan", "result", "said"),
    [
        ({"encoder_weights": "random"}, {}, "**RANDOM ENCODER WEIGHTS"),
        ({}, {"bottleneck_weights": "random"}, "**RANDOM BLOCK 4"),
        ({"selection": "test"}, {}, "**ORACLE"),
        ({}, {"score": None}, "**NOTHING TO CHOOSE BY"),
        ({"settings": {"training.max_steps": 200}}, {}, "**steps 200 (the paper trains 2700)**"),
        ({}, {}, "textures drawn by the code in place of DTD (procedural:1)"),
        ({"textures": "sha256:cd", "texture_images": 5640}, {}, "textures 5640 images (sha256:cd)"),
        ({}, {}, "precision fp32, image size 256"),
        ({}, {}, "aupro up to a false positive rate of 0.3"),
        ({}, {}, "selection synthetic"),
        ({"notes": ("screw: 2 trials merged",)}, {}, "screw: 2 trials merged"),
    ],
)
def test_conditions_are_said(
    plan_of: Make, done_of: Make, plan: dict[str, Any], result: dict[str, Any], said: str
) -> None:
    made = plan_of(**plan)
    records = {t.key: done_of(t, **result) for t in made.trials}
    assert said in markdown(make_tables(made, records))


def test_oracle_is_in_every_row_that_was_chosen_so(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile"), selection="test")
    tables = make_tables(plan, records_of(plan))
    assert {row.selection for row in tables.rows} == {"oracle"}
    assert {row.selection for row in tables.average_rows} == {"oracle"}


def test_a_step_that_the_test_set_chose_is_in_every_row_beside_it(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "tile"), settings={"training.reported_step": "test"})
    tables = make_tables(plan, records_of(plan))
    assert {row.selection for row in tables.rows} == {"synthetic, oracle step"}
    assert {row.selection for row in tables.average_rows} == {"synthetic, oracle step"}
    text = markdown(tables)
    assert "(chosen by: synthetic, oracle step, mean" in text
    assert "| 0 | synthetic, oracle step |" in text


def test_both_winners_are_reported(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile"), rates=(0.01, 0.02, 0.04))
    tables = make_tables(plan, records_of(plan, {
        ("screw", 0.01, 0): {"score": 0.9, "image": 0.91}, ("tile", 0.01, 0): {"score": 0.1},
        ("screw", 0.02, 0): {"score": 0.7, "image": 0.72}, ("tile", 0.02, 0): {"score": 0.7},
        ("screw", 0.04, 0): {"score": 0.1}, ("tile", 0.04, 0): {"score": 0.9},
    }))  # fmt: skip
    files = render_files(tables)
    assert frame(files)["image_auroc"]["screw"] == 0.91
    average = json.loads(files["average.json"])
    assert average[0]["image_auroc"] == 0.72
    text = files["auroc.md"].decode()
    assert "One configuration for all categories: optimizer.lr 0.02 (chosen by: synthetic" in text
    assert "| screw | optimizer.lr 0.01 | 0 | synthetic |" in text
    assert "| screw | 72.00 |" in text


def test_without_a_shared_configuration_the_second_table_says_so(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "tile"))
    records = records_of(plan, {("screw", 0.02, 0): {}, ("tile", 0.04, 0): {}})
    tables = make_tables(plan, records)
    assert tables.average_rows == ()
    assert "No configuration is finished" in markdown(tables)
    assert render_files(tables)["average.json"] == b"[]\n"


def test_equal_failures_are_one_line_and_dropped_values_are_listed(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(
        dropped=(Dropped("screw", {"memory.samples": 70}, "12 normal images, 70 needed"),)
    )
    failed = Failed({"kind": "bug", "message": "a | b\nsecond *line*"})
    tables = make_tables(plan, {t.key: failed for t in plan.trials})
    text = markdown(tables)
    assert "| screw | bug | 2 | a \\| b second \\*line\\* |" in text
    assert "| screw | memory.samples 70 | 12 normal images, 70 needed |" in text
    assert "- screw: none of its 2 trials is done" in text


def test_seeds_are_shown_with_their_spread(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(rates=(0.04,), seeds=(0, 1))
    tables = make_tables(plan, records_of(plan, {
        ("screw", 0.04, 0): {"image": 0.8, "score": 0.4},
        ("screw", 0.04, 1): {"image": 0.9, "score": 0.3},
    }))  # fmt: skip
    assert "| screw | 2 | image_auroc | 85.00 | 80.00 | 90.00 |" in markdown(tables)
    assert frame(render_files(tables))["image_auroc"]["screw"] == 0.8


def test_a_trials_table_has_a_row_for_each_planned_trial(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile"), seeds=(0, 1), problems={"tile": "half an image"})
    records = records_of(plan, only=plan.trials[:2])
    records[plan.trials[2].key] = Failed({"kind": "lost", "message": "node", "attempts": 6})
    files = render_files(make_tables(plan, records))
    table = pd.read_parquet(io.BytesIO(files["trials.parquet"]))
    assert list(table["status"]) == ["done", "done", "failed", "pending"] + ["failed"] * 4
    assert (
        list(table["selected"])
        == [t.key == make_tables(plan, records).rows[0].trial for t in plan.trials] + [False] * 4
    )
    assert list(table["optimizer.lr"]) == [0.02, 0.02, 0.04, 0.04] * 2
    assert list(table["seed"]) == [0, 1] * 4
    assert table["simulation.transparency"][0] == "[0.15, 1.0]"
    assert table["loss.focal_gamma"].dtype == np.float64
    done, lost, refused = table.loc[0], table.loc[2], table.loc[4]
    assert (done["image_auroc"], done["synthetic_score"]) == (0.9, 0.5)
    assert (done["seconds_total"], done["peak_memory_gib"]) == (11.0, 1.5)
    assert (lost["failure_kind"], lost["failure_message"]) == ("lost", "node")
    assert (refused["failure_kind"], refused["failure_message"]) == ("data", "half an image")
    assert pd.isna(refused["key"])
    assert list(pd.read_csv(io.BytesIO(files["trials.csv"])).columns) == list(table.columns)


def test_a_sweep_with_nothing_done_still_has_its_tables(plan_of: Make) -> None:
    tables = make_tables(plan_of(("screw",), problems={"screw": "gone"}), {})
    files = render_files(tables)
    assert frame(files)["trials_done"]["screw"] == 0
    assert "**no image AUROC at all**" in files["auroc.md"].decode()


@pytest.mark.parametrize("category", ["01", "no", "true", "1e5", "a|b", "ß µ", "[red]x[/red]"])
def test_any_category_name_is_text_everywhere(
    plan_of: Make, records_of: Make, category: str
) -> None:
    plan = plan_of((category,))
    files = render_files(make_tables(plan, records_of(plan)))
    assert json.loads(files["auroc.json"])[0]["category"] == category
    assert frame(files).index[0] == category
    read = pd.read_csv(io.BytesIO(files["auroc.csv"]), dtype=str, keep_default_na=False)
    assert read["category"][0] == category


def test_files_are_written_into_the_sweeps_folder(
    plan_of: Make, records_of: Make, tmp_path: Path
) -> None:
    plan = plan_of()
    tables = make_tables(plan, records_of(plan))
    names = write_tables(open_folder(tmp_path / "sweeps" / "line"), tables)
    assert {n: (tmp_path / "sweeps/line" / n).read_bytes() for n in names} == render_files(tables)
    assert {"auroc.md", "auroc.csv", "auroc.json", "auroc.parquet", "trials.csv",
            "trials.parquet"} <= set(names)  # fmt: skip


def test_the_baseline_is_that_of_the_trial_in_its_row(plan_of: Make, records_of: Make) -> None:
    """It depends on the memory, and so on the configuration; and a fixed one is best of nothing."""
    plan = plan_of(("screw", "tile"), rates=(0.01, 0.02, 0.04))
    tables = make_tables(plan, records_of(plan, {
        ("screw", 0.01, 0): {"score": 0.9, "baseline_image_auroc": 0.55},
        ("screw", 0.02, 0): {"score": 0.7, "baseline_image_auroc": 0.77},
        ("tile", 0.02, 0): {"score": 0.7},
    }))  # fmt: skip
    best, average = markdown(tables).split("## Best on average")
    (first,) = (line for line in best.splitlines() if line.startswith("| screw | 9"))
    assert "†" in first
    assert first.endswith("| 55.00 |")
    (second,) = (line for line in average.splitlines() if line.startswith("| screw | 9"))
    assert "†" not in second
    assert second.endswith("| 77.00 |")
