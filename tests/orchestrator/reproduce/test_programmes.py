"""From the paper's tables to trials: shared ones once, each category's own settings in force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from memseg.errors import SettingError
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.plan import NOTHING_CHOSEN, make_plan
from orchestrator.planning.plan_file import plan_bytes
from orchestrator.reproduce.experiment import Experiment, Row
from orchestrator.reproduce.experiments import (
    EXPERIMENTS,
    FIGURE_8,
    TABLE_1,
    TABLE_3,
    TABLE_4,
    TABLE_5,
)
from orchestrator.reproduce.programme import (
    Programme,
    beaten_of,
    make_programme,
    with_published,
)

Make = Callable[..., Any]
ALL_OF_MVTEC = [e for e in EXPERIMENTS if e.name != "table2"]


@pytest.fixture
def programme_of(job_of: Make) -> Callable[..., Programme]:
    def making(
        experiments: Sequence[Experiment], inventory: Any, *options: str, precision: str = "fp32"
    ) -> Programme:
        return make_programme(job_of(*options), inventory, precision, experiments)

    return making


def test_trials_that_tables_share_are_run_once(programme_of: Make, inventory_of: Make) -> None:
    programme = programme_of(ALL_OF_MVTEC, inventory_of("cable", "bottle"))
    new = {p.experiment.name: len(programme.new_in(p)) for p in programme.parts}
    # Bottle's foreground is on: four trials in table 3; cable's is off, so that "without
    # foreground" is the whole method. 30 memory samples are the whole method in both.
    trained = {name: count for name, count in new.items() if count}
    assert trained == {"table1": 2, "table3": 5, "table4": 4, "table5": 10, "figure8": 6}
    assert list(new) == [e.name for e in ALL_OF_MVTEC]
    keys = [trial.key for trial in programme.plan.trials]
    assert len(keys) == len(set(keys)) == sum(new.values())
    assert [t.category for t in programme.plan.trials] == ["cable"] * 13 + ["bottle"] * 14


def test_rows_that_are_one_trial_in_a_category_both_find_it(
    programme_of: Make, inventory_of: Make
) -> None:
    (part,) = programme_of([TABLE_3], inventory_of("cable", "bottle")).parts
    off, whole = part.trials["without foreground"], part.trials["all"]
    assert off["cable"] == whole["cable"]
    assert off["bottle"] != whole["bottle"]
    assert off["bottle"][0].method.foreground.mode == "off"


def test_what_a_row_does_not_set_stays_each_categorys_own(
    programme_of: Make, inventory_of: Make
) -> None:
    found = inventory_of("screw", "transistor", "toothbrush")
    (part,) = programme_of([TABLE_4], found).parts
    for row in part.experiment.rows:
        methods = {c: trials[0].method for c, trials in part.trials[row.name].items()}
        assert [m.memory.samples for m in methods.values()] == [120, 30, 10]
        assert methods["transistor"].difference.factor == 1000
        assert [m.foreground.mode for m in methods.values()] == ["otsu", "off", "otsu"]
        weights = [(m.loss.l1_weight, m.loss.focal_weight) for m in methods.values()]
        expected = {"L1": (0.6, 0), "focal": (0, 0.4), "L1 and focal": (0.6, 0.4)}[row.name]
        assert weights == [expected] * 3


def test_the_jobs_own_settings_are_below_a_rows(programme_of: Make, inventory_of: Make) -> None:
    options = ("--per_category.bottle.memory.samples", "9", "--simulation.texture_share", "0.2")
    programme = programme_of([TABLE_3, FIGURE_8], inventory_of("bottle"), *options)
    table, figure = programme.parts
    shares = {row: c["bottle"][0].method.simulation.texture_share
              for row, c in table.trials.items()}  # fmt: skip
    assert shares == {"without texture": 0, "without structure": 1, "without foreground": 0.2,
                      "all": 0.2}  # fmt: skip
    assert table.trials["all"]["bottle"][0].method.memory.samples == 9
    assert [figure.trials[str(n)]["bottle"][0].method.memory.samples for n in (1, 15, 30, 70)] == [
        1, 15, 30, 70
    ]  # fmt: skip


def test_the_components_of_table_5_are_the_papers(part_of: Make) -> None:
    part = part_of(TABLE_5, "tile")
    found = [
        (m.memory, m.multi_scale, m.spatial_attention, m.coordinate_attention)
        for row in part.experiment.rows
        for m in [part.trials[row.name]["tile"][0].method.model]
    ]
    assert found == [
        (False, False, False, False), (True, False, False, False), (True, True, False, True),
        (True, True, True, False), (True, False, True, True), (True, True, True, True),
    ]  # fmt: skip
    labels = [tuple(label == "✓" for label in row.labels) for row in part.experiment.rows]
    assert labels == found


def test_keys_are_those_of_a_sweep_with_the_same_settings(
    programme_of: Make, inventory_of: Make, job_of: Make
) -> None:
    """So that a sweep's finished trials are not run again, also with another preset."""
    found = inventory_of("transistor")
    options = ("--preset", "best", "--training.max_steps", "300")
    programme = programme_of([TABLE_4, FIGURE_8], found, *options)
    losses = make_plan(
        job_of(*options, "--grid.loss.l1_weight,loss.focal_weight", "[[0.6, 0], [0, 0.4]]"),
        found, "fp32",
    )  # fmt: skip
    samples = make_plan(
        job_of(*options, "--grid.memory.samples", "[15, 30, 70]", "--memory.most_share", "1"),
        found, "fp32",
    )  # fmt: skip
    whole = make_plan(job_of(*options), found, "fp32")
    expected = {t.key for plan in (losses, samples, whole) for t in plan.trials}
    assert {t.key for t in programme.plan.trials} == expected


def test_no_share_of_the_images_cuts_the_memory_of_figure_8(
    programme_of: Make, inventory_of: Make
) -> None:
    (part,) = programme_of([FIGURE_8], inventory_of(bottle=100), "--preset", "best").parts
    methods = [part.trials[n]["bottle"][0].method for n in ("15", "30", "70")]
    assert [(m.memory.samples, m.memory.most_share) for m in methods] == [
        (15, 1), (30, 1), (70, 1)
    ]  # fmt: skip


def test_a_category_that_cannot_have_a_row_is_listed_and_keeps_the_others(
    programme_of: Make, inventory_of: Make
) -> None:
    programme = programme_of([FIGURE_8], inventory_of("tile", capsule=60))
    (part,) = programme.parts
    assert set(part.trials["70"]) == {"tile"}
    assert set(part.trials["30"]) == {"tile", "capsule"}
    (dropped,) = programme.plan.dropped
    assert (dropped.category, dropped.values["memory.samples"]) == ("capsule", 70)
    assert "60 normal images" in dropped.reason


def test_one_memory_sample_has_nothing_to_be_normalised_by(
    programme_of: Make, inventory_of: Make
) -> None:
    (part,) = programme_of([FIGURE_8], inventory_of("tile"), "--preset", "best").parts
    assert part.trials["1"] == {}
    assert "at least 2" in part.plan.dropped[0].reason


def test_figure_8_leaves_out_what_the_paper_does(programme_of: Make, inventory_of: Make) -> None:
    found = inventory_of("screw", "tile", "toothbrush")
    table, figure = programme_of([TABLE_1, FIGURE_8], found).parts
    assert table.categories == ("screw", "tile", "toothbrush")
    assert figure.categories == ("tile",)
    assert "screw" not in figure.missing


def test_a_category_that_only_some_experiments_can_have_is_no_problem_of_the_whole(
    programme_of: Make, inventory_of: Make
) -> None:
    programme = programme_of([TABLE_1, FIGURE_8], inventory_of("tile", capsule=25))
    table, figure = programme.parts
    assert "capsule" in table.plan.problems
    assert not figure.plan.problems
    assert not programme.plan.problems
    assert not programme.plan.refused
    assert [t.method.memory.samples for t in programme.plan.trials_of("capsule")] == [1, 15]
    assert any(d.category == "capsule" and d.values == {} for d in programme.plan.dropped)


def test_nothing_is_chosen_so_nothing_need_be_held_out(
    programme_of: Make, inventory_of: Make
) -> None:
    programme = programme_of([TABLE_5], inventory_of("tile"), "--seeds", "[0, 1]")
    assert programme.plan.selection == NOTHING_CHOSEN
    assert {t.method.validation.held_out_share for t in programme.plan.trials} == {0}
    assert len(programme.plan.trials) == 12
    (part,) = programme.parts
    assert [t.seed for t in part.trials["memory"]["tile"]] == [0, 1]
    assert plan_bytes(programme.plan)


def test_a_category_with_a_problem_is_refused_for_each_row(
    programme_of: Make, inventory_of: Make
) -> None:
    programme = programme_of([TABLE_4], inventory_of("tile", wood=5))
    assert set(programme.plan.problems) == {"wood"}
    assert programme.plan.planned("wood") == 3
    assert [set(trials) for trials in programme.parts[0].trials.values()] == [{"tile"}] * 3


def test_weights_stay_for_pictures_and_of_what_was_done_before(
    programme_of: Make, inventory_of: Make
) -> None:
    programme = programme_of([TABLE_4], inventory_of("tile"))
    (part,) = programme.parts
    keys = {row: trials["tile"][0].key for row, trials in part.trials.items()}
    done: dict[str, Record] = {key: Done({}) for key in keys.values()}

    def dropped(before: dict[str, Record]) -> list[str]:
        return [t.key for t in beaten_of(programme, before)(programme.plan, done, "tile")]

    assert dropped({}) == [keys["L1"]]
    assert dropped({keys["L1"]: done[keys["L1"]]}) == []
    assert beaten_of(programme, {})(programme.plan, {}, "tile") == ()


def test_missing_categories_are_counted_as_published(
    programme_of: Make, inventory_of: Make
) -> None:
    whole = with_published(inventory_of("screw", "transistor", "ours"))
    assert whole is not None
    assert len(whole.categories) == 16
    assert whole.categories[0].train_fingerprint == "train of screw"
    assert with_published(inventory_of("ours")) is None


def test_every_experiments_rows_have_a_label_for_each_heading_and_names_of_their_own() -> None:
    for experiment in EXPERIMENTS:
        names = [row.name for row in experiment.rows]
        assert len(set(names)) == len(names)
        assert {len(row.labels) for row in experiment.rows} == {len(experiment.headings)}


def test_a_value_out_of_range_is_refused(programme_of: Make, inventory_of: Make) -> None:
    wrong = Experiment("x", "X", "MVTec AD", (Row("a", settings={"loss.l1_weight": -1.0}),),
                       TABLE_1.make)  # fmt: skip
    with pytest.raises(SettingError, match=r"loss\.l1_weight must be at least 0"):
        programme_of([wrong], inventory_of("tile"))
