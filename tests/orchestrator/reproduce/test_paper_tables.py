"""Made-up results against tables worked out by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from orchestrator.aggregation.published import MEMSEG, averages
from orchestrator.ledger.ledger import Failed
from orchestrator.reproduce.ablation import ablation_table
from orchestrator.reproduce.cells import flat
from orchestrator.reproduce.experiment import CATEGORIES, MVTEC_AD
from orchestrator.reproduce.experiments import (
    EXPERIMENTS,
    FIGURE_8,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_5,
)
from orchestrator.reproduce.files import render_markdown, table_files
from orchestrator.reproduce.lines import PaperTable, per_category_table
from orchestrator.reproduce.terminal import render_table

Make = Callable[..., Any]
LOSSES = {
    ("L1", "tile", 0): (0.80, 0.70), ("L1", "wood", 0): (0.90, 0.74),
    ("focal", "tile", 0): (0.98, 0.97), ("focal", "wood", 0): (1.0, 0.99),
    ("L1 and focal", "tile", 0): (0.99, 0.98), ("L1 and focal", "wood", 0): (0.99, 0.96),
}  # fmt: skip


EVERYWHERE = {
    (row, category, 0): figures
    for row, figures in {"L1": (0.85, 0.72), "focal": (0.99, 0.98),
                         "L1 and focal": (0.99, 0.97)}.items()
    for category in CATEGORIES[MVTEC_AD]
}  # fmt: skip
"""The same averages over all of the paper's categories."""


def rows_of(table: PaperTable) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table_files(table)[f"{table.name}.csv"].decode())))


def printed(table: PaperTable) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(render_table(table))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def said(table: PaperTable) -> str:
    return "\n".join(condition.text for condition in table.conditions)


def test_rows_are_averages_over_the_categories_beside_the_papers(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(TABLE_4, *CATEGORIES[MVTEC_AD])
    table = ablation_table(part, records_of(part, EVERYWHERE))
    rows = rows_of(table)
    assert [(r["l1"], r["focal"], r["category"]) for r in rows[:3]] == [
        ("yes", "no", "average"), ("no", "yes", "average"), ("yes", "yes", "average"),
    ]  # fmt: skip
    found = [
        tuple(round(float(r[name]), 6) for name in
              ("image_auroc", "pixel_auroc", "image_auroc_difference", "pixel_auroc_difference"))
        for r in rows[:3]
    ]  # fmt: skip
    assert found == [
        (0.85, 0.72, 0.0018, -0.0138), (0.99, 0.98, 0.0008, -0.0064),
        (0.99, 0.97, -0.0056, -0.0184),
    ]  # fmt: skip
    assert [r["paper_image_auroc"] for r in rows[:3]] == ["0.8482", "0.9892", "0.9956"]
    assert {(r["categories"], r["seeds"]) for r in rows[:3]} == {("15", "1")}
    detail = {(r["category"], r["l1"], r["focal"]): r["image_auroc"] for r in rows[3:]}
    assert detail["tile", "yes", "no"] == "0.85"
    assert len(detail) == 45


def test_averages_over_fewer_categories_than_the_papers_have_no_difference(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(TABLE_4, "tile", "wood")
    table = ablation_table(part, records_of(part, LOSSES))
    rows = rows_of(table)
    assert [round(float(r["image_auroc"]), 6) for r in rows[:3]] == [0.85, 0.99, 0.99]
    assert [r["paper_image_auroc"] for r in rows[:3]] == ["0.8482", "0.9892", "0.9956"]
    assert {r["image_auroc_difference"] for r in rows} == {""}
    assert "diff" not in printed(table).split("\n\n")[0]
    assert "difference" not in render_markdown(table).split("\n\n")[1]
    # What a row loses within the table compares.
    assert (
        "less the whole method, image / pixel AUROC in points, ours (the paper's): "
        "L1 -14.00 / -25.00 (-14.74 / -25.46); focal +0.00 / +1.00 (-0.64 / -0.20)"
    ) in said(table)


def test_the_terminal_shows_ours_the_papers_and_the_difference(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(TABLE_4, *CATEGORIES[MVTEC_AD])
    lines = printed(ablation_table(part, records_of(part, EVERYWHERE))).splitlines()
    assert max(map(len, lines)) <= 100
    (both,) = [line.split() for line in lines if line.startswith("✓   ✓")]
    assert both[2:] == ["99.00", "99.56", "-0.56", "97.00", "98.84", "-1.84"]


def test_markdown_holds_the_same_and_each_category(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_4, *CATEGORIES[MVTEC_AD])
    text = render_markdown(ablation_table(part, records_of(part, EVERYWHERE)))
    assert "| ✓ |  | 85.00 | 84.82 | +0.18 | 72.00 | 73.38 | -1.38 | 72.00 |" in text
    assert "| wood |  | ✓ | 99.00 | 98.00 | 98.00 |" in text
    assert "arXiv:2205.00908" in text
    assert "public code" not in text


def test_json_holds_rows_conditions_and_sources(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_4, "tile", "wood")
    table = ablation_table(part, records_of(part, LOSSES))
    content = json.loads(table_files(table)["table4.json"])
    assert content["rows"][0]["image_auroc"] == pytest.approx(0.85)
    assert content["rows"][0]["paper_pixel_auroc"] == 0.7338
    assert {"text", "loud"} == set(content["conditions"][0])
    assert "paper" in content["sources"]


def test_seeds_are_averaged_and_their_spread_is_of_the_averages(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(TABLE_4, "tile", "wood", options=("--seeds", "[0, 1]"))
    figures = {
        (row, c, seed): (image - 0.02 * seed * (c == "tile"), pixel)
        for (row, c, _), (image, pixel) in LOSSES.items() for seed in (0, 1)
    }  # fmt: skip
    table = ablation_table(part, records_of(part, figures))
    first = rows_of(table)[0]
    # Averages over the categories: 0.85 and 0.84.
    assert float(first["image_auroc"]) == pytest.approx(0.845)
    assert float(first["image_auroc_deviation"]) == pytest.approx(0.01 / 2**0.5)
    assert float(first["pixel_auroc_deviation"]) == 0
    assert first["seeds"] == "2"
    assert "84.50 ± 0.71" in printed(table)
    assert max(map(len, printed(table).splitlines())) <= 100


def test_a_row_without_foreground_is_the_whole_method_where_none_is_found(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(TABLE_3, "tile", "screw", options=("--preset", "best"))
    records = records_of(part, {("all", name, 0): (0.9, 0.9) for name in ("tile", "screw")})
    assert "no foreground is found" not in said(ablation_table(part, records))
    for category, found in (("tile", "off"), ("screw", "otsu")):
        (trial,) = part.trials["all"][category]
        records[trial.key].result["foreground"] = found
    assert (
        "without foreground: no foreground is found in tile, where this row is the whole method"
    ) in said(ablation_table(part, records))


def test_a_foreground_that_is_set_off_makes_one_trial_of_both_rows(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(TABLE_3, "tile", "screw", options=("--preset", "paper"))
    found = said(ablation_table(part, records_of(part, {})))
    assert (
        "without foreground: the whole method itself in tile, whose foreground is set off" in found
    )
    assert "no foreground is found" not in found


def test_a_category_that_a_row_lacks_is_in_no_rows_average(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_4, "tile", "wood")
    figures = {place: value for place, value in LOSSES.items() if place != ("L1", "wood", 0)}
    table = ablation_table(part, records_of(part, figures))
    assert [float(r["image_auroc"]) for r in rows_of(table)[:3]] == [0.80, 0.98, 0.99]
    assert {r["categories"] for r in rows_of(table)[:3]} == {"1"}
    assert "in no average, because not every row is done there: wood" in said(table)
    assert "INCOMPLETE: 5 of 6 trials are done" in said(table)


def test_a_category_with_a_seed_too_few_is_not_done(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_4, "tile", options=("--seeds", "[0, 1]"))
    figures = {place: value for place, value in LOSSES.items() if place[1] == "tile"}
    table = ablation_table(part, records_of(part, figures))
    assert {r["image_auroc"] for r in rows_of(table)} == {""}


def test_products_that_the_paper_does_not_have_are_not_averaged_beside_its_averages(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(TABLE_4, "tile", "my_part")
    rows = ("L1", "focal", "L1 and focal")
    figures = {
        (row, name, 0): (value, value)
        for row in rows
        for name, value in (("tile", 0.9), ("my_part", 0.1))
    }
    table = ablation_table(part, records_of(part, figures))
    assert [line.paper is None for line in table.lines] == [False] * 3
    assert {line.score.mean("image_auroc") for line in table.lines if line.score} == {0.9}
    assert "in no average, because the paper's are without them: my_part" in said(table)
    alone = part_of(TABLE_4, "my_part")
    figures = {place: value for place, value in figures.items() if place[1] == "my_part"}
    table = ablation_table(alone, records_of(alone, figures))
    assert {line.score.mean("image_auroc") for line in table.lines if line.score} == {0.1}
    assert [line.paper for line in table.lines] == [None] * 3


def test_a_row_that_no_category_can_have_leaves_the_others_their_averages(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(FIGURE_8, "tile", options=("--preset", "best"))
    figures = {(n, "tile", 0): (0.9, 0.8) for n in ("15", "30", "70")}
    table = ablation_table(part, records_of(part, figures))
    assert [r["image_auroc"] for r in rows_of(table)[:4]] == ["", "0.9", "0.9", "0.9"]
    assert "cannot be had: tile, memory.samples 1" in said(table)
    assert "none of its values is printed" in said(table)
    assert "paper" not in printed(table).split("\n\n")[0]


def test_table_1_averages_the_papers_over_our_categories(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_1, "tile", "screw", "transistor")
    figures = {("all", "tile", 0): (1.0, 0.99), ("all", "screw", 0): (0.95, 0.97),
               ("all", "transistor", 0): (0.98, 0.93)}  # fmt: skip
    table = per_category_table(part, records_of(part, figures))
    rows = {row["category"]: row for row in rows_of(table)}
    assert list(rows) == [
        "tile", "screw", "transistor", "textures (1)", "objects (2)",
        "average (3)", "the paper, all 15",
    ]  # fmt: skip
    mean = rows["average (3)"]
    assert float(mean["image_auroc"]) == pytest.approx((1.0 + 0.95 + 0.98) / 3)
    assert float(mean["paper_image_auroc"]) == pytest.approx((1.0 + 0.978 + 0.992) / 3)
    assert float(mean["pixel_auroc_difference"]) == pytest.approx(
        (0.99 + 0.97 + 0.93 - 0.995 - 0.980 - 0.973) / 3
    )
    assert float(mean["public_code_pixel_auroc"]) == pytest.approx((0.9954 + 0.9422 + 0.7424) / 3)
    assert rows["screw"]["public_code_image_auroc"] == "0.9322"
    assert rows["the paper, all 15"]["paper_image_auroc"] == "0.9956"
    assert max(map(len, printed(table).splitlines())) <= 100
    assert "3 of the 15 categories" in said(table)
    missing = next(c.text for c in table.conditions if "missing" in c.text)
    assert "zipper" in missing
    assert "tile" not in missing


def test_the_compared_methods_are_below_table_1(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_1, "screw")
    table = per_category_table(part, records_of(part, {("all", "screw", 0): (0.95, 0.97)}))
    text = render_markdown(table)
    assert (
        "| screw | – / 98.90 | – / 97.40 | 93.90 / 97.60 | 81.30 / 95.70 | 86.30 / 96.70 |"  # noqa: RUF001
        " 83.30 / 95.30 |"
    ) in text
    assert "97.40 / 97.00" not in text
    assert "98.00 / 97.30" in text  # DRAEM's own average over all 15
    content = json.loads(table_files(table)["table1.json"])
    assert content["compared_methods"]["DRAEM"][0] == {
        "category": "screw", "image_auroc": 0.939, "pixel_auroc": 0.976,
    }  # fmt: skip


def test_categories_of_ones_own_stand_apart(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_1, "tile", "our_line")
    figures = {("all", "tile", 0): (1.0, 0.9), ("all", "our_line", 0): (0.5, 0.7)}
    rows = {r["category"]: r for r in rows_of(per_category_table(part, records_of(part, figures)))}
    assert rows["our_line"]["paper_image_auroc"] == ""
    assert rows["average (1)"]["image_auroc"] == "1.0"
    assert float(rows["average, all ours (2)"]["image_auroc"]) == 0.75


def test_table_2_is_btads(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_2, "01", "02", "03")
    figures = {("all", c, 0): (0.9, 0.9) for c in ("01", "02", "03")}
    table = per_category_table(part, records_of(part, figures))
    rows = {r["category"]: r for r in rows_of(table)}
    assert rows["02"]["paper_image_auroc"] == "0.87"
    assert float(rows["average (3)"]["paper_image_auroc"]) == pytest.approx(0.950333, abs=1e-6)
    assert rows["the paper, all 3"]["paper_pixel_auroc"] == "0.971"
    assert "missing" not in said(table)
    assert "public" not in printed(table)
    assert list(table.methods) == ["PatchCore", "SPADE", "PaDiM", "P-SVDD"]


def test_a_metric_that_is_not_defined_is_in_no_average_and_said(
    part_of: Make, records_of: Make
) -> None:
    part = part_of(TABLE_1, "tile", "wood")
    figures = {("all", "tile", 0): (1.0, None), ("all", "wood", 0): (0.9, 0.8)}
    table = per_category_table(part, records_of(part, figures))
    mean = next(r for r in rows_of(table) if r["category"] == "average (2)")
    assert (mean["image_auroc"], mean["pixel_auroc"]) == ("0.95", "0.8")
    assert mean["paper_pixel_auroc"] == "0.98"  # wood's alone
    assert "tile: pixel_auroc is not defined: no mask there" in said(table)


def test_what_differs_from_the_paper_is_said(part_of: Make, records_of: Make) -> None:
    options = ("--preset", "best", "--training.max_steps", "300", "--image.size", "128")
    part = part_of(TABLE_3, "tile", "screw", options=options)
    table = ablation_table(part, records_of(part, {}))
    text = said(table)
    assert "steps 300 (the paper trains 2700)" in text
    assert "preset best" in text
    for difference in (
        "image.size 128 (there 256)",
        "difference.factor 10 (there 100)",
        "memory.samples 120 (there 30)",
        "foreground.mode auto (there off or otsu)",
        "validation.held_out_share 0.1 (there 0)",
    ):
        assert difference in text
    assert "validation.turned" not in text
    assert "texture_share" not in text
    loud = [c.loud for c in table.conditions]
    assert loud == sorted(loud, reverse=True)


def test_settings_that_choose_the_reported_step_are_told(part_of: Make, records_of: Make) -> None:
    every, turned = "training.judged_every 7 (there 100)", "validation.turned 4 (there 0)"

    def told(way: str) -> str:
        options = ("--preset", "best", "--training.judged_every", "7",
                   "--training.reported_step", way)  # fmt: skip
        part = part_of(TABLE_3, "tile", options=options)
        return said(ablation_table(part, records_of(part, {})))

    assert every not in told("last")
    assert every in told("test")
    assert turned not in told("test")
    assert every in told("validation")
    assert turned in told("validation")


def test_the_papers_own_settings_are_called_so(part_of: Make, records_of: Make) -> None:
    table = ablation_table(part := part_of(TABLE_5, "tile"), records_of(part, {}))
    assert "all other settings are those of preset paper" in said(table)
    assert "not as in preset paper" not in said(table)


def test_random_weights_and_failures_are_loud(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_4, "tile")
    part = replace(part, plan=replace(part.plan, encoder_weights="random"))
    records = records_of(part, {})
    failed = part.trials["L1"]["tile"][0]
    records[failed.key] = Failed({"kind": "oom", "message": "no memory", "category": "tile"})
    table = ablation_table(part, records)
    loud = [c.text for c in table.conditions if c.loud]
    assert any(text.startswith("RANDOM ENCODER WEIGHTS") for text in loud)
    assert "tile, L1: oom: no memory" in loud


def test_equal_tables_give_equal_bytes(part_of: Make, records_of: Make) -> None:
    part = part_of(TABLE_4, "tile", "wood")
    records = records_of(part, LOSSES)
    again = dict(reversed(records.items()))
    assert table_files(ablation_table(part, records)) == table_files(ablation_table(part, again))


@pytest.mark.parametrize("experiment", [TABLE_3, TABLE_4, TABLE_5])
def test_each_row_has_its_figures_in_the_paper(experiment: Any) -> None:
    assert [row.name for row in experiment.rows] == list(averages(experiment.name))


def test_headings_are_columns_of_one_line() -> None:
    assert [flat(heading) for heading in TABLE_5.headings] == [
        "memory", "multi-scale", "spatial attention", "coordinate attention",
    ]  # fmt: skip
    assert MEMSEG == "MemSeg"
    assert [e.name for e in EXPERIMENTS] == [
        "table1", "table2", "table3", "table4", "table5", "table6",
        "figure3", "figure5", "figure6", "figure7", "figure8", "figure9", "speed",
    ]  # fmt: skip
