"""From a job and an inventory to trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from memseg.config import METHOD_VERSION
from memseg.errors import SettingError
from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from orchestrator.job.start import Start
from orchestrator.planning.inventory import CategoryInventory, Inventory
from orchestrator.planning.plan import from_json, make_plan
from orchestrator.planning.plan_file import plan_bytes

JobOf = Callable[..., Job]


@pytest.fixture
def job_of(tmp_path: Path) -> JobOf:
    """A job from command line options alone."""

    def making(*argv: str) -> Job:
        (tmp_path / "line.yaml").write_text("")
        return read_job(["--config", "line.yaml", "--data.root=/i", *argv], {}, tmp_path)

    return making


def category(name: str, normal: int = 200, **changed: object) -> CategoryInventory:
    values: dict[str, object] = {
        "train_hashes": tuple(f"{name} {i}" for i in range(normal)),
        "test_normal": 5, "test_anomalous": 7, "has_masks": True,
        "train_fingerprint": f"train of {name}", "test_fingerprint": f"test of {name}",
    }  # fmt: skip
    return CategoryInventory(name, normal, **{**values, **changed})  # type: ignore[arg-type]


def inventory(*categories: CategoryInventory) -> Inventory:
    return Inventory(categories, "procedural:1", 48, "random")


def test_trials_are_category_times_grid_times_seeds_in_this_order(job_of: JobOf) -> None:
    job = job_of("--grid.optimizer.lr", "[0.02, 0.04]", "--seeds", "[0, 1]")
    plan = make_plan(job, inventory(category("tile"), category("cable")), "fp32")
    assert [(t.category, t.grid["optimizer.lr"], t.seed) for t in plan.trials] == [
        (c, lr, seed) for c in ("tile", "cable") for lr in (0.02, 0.04) for seed in (0, 1)
    ]
    assert all(t.method.optimizer.lr == t.grid["optimizer.lr"] for t in plan.trials)
    assert plan.planned("tile") == 4
    assert len({t.key for t in plan.trials}) == 8


START = Start("v1", "sha256:ab", "random", {}, METHOD_VERSION)


def test_trials_start_from_what_the_job_names_where_it_fits(job_of: JobOf) -> None:
    found = inventory(category("tile"), category("cable"))
    plain = make_plan(job_of(), found, "fp32")
    plan = make_plan(replace(job_of(), starts={"tile": START}), found, "fp32")
    warm, afresh = plan.trials
    assert (warm.inputs.start, warm.start_version) == ("sha256:ab", "v1")
    assert warm.key != plain.trials[0].key
    assert afresh == plain.trials[1]
    assert plan.notes == ("tile: starts from the weights of version v1",)
    assert from_json(json.loads(plan_bytes(plan))).trials == plan.trials
    assert plan_bytes(plan) == (json.dumps(plan.to_json(), indent=1, sort_keys=True,
                                           ensure_ascii=False) + "\n").encode()  # fmt: skip


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (
            replace(START, settings={"model.memory": False}),
            "it was trained with model.memory False",
        ),
        (replace(START, settings={"difference.factor": 7.0}), "difference.factor 7.0, the job has"),
        (replace(START, encoder_weights="sha256:e"), "its encoder weights are sha256:e, the job's"),
        (replace(START, method_version=1), "it was made by method version 1"),
    ],
)
def test_a_start_that_does_not_fit_is_refused_with_the_reason(
    job_of: JobOf, start: Start, reason: str
) -> None:
    job = replace(job_of(), starts={"tile": start})
    plan = make_plan(job, inventory(category("tile")), "fp32")
    assert plan.trials == make_plan(job_of(), inventory(category("tile")), "fp32").trials
    assert plan.notes[0].startswith("tile: starts afresh, not from version v1: ")
    assert reason in plan.notes[0]


def test_settings_that_no_weight_depends_on_keep_no_start_away(job_of: JobOf) -> None:
    settings = {"image.size": 512, "memory.samples": 3, "optimizer.lr": 1.0, "unknown": 1}
    job = replace(job_of(), starts={"tile": replace(START, settings=settings)})
    plan = make_plan(job, inventory(category("tile")), "fp32")
    assert [t.inputs.start for t in plan.trials] == ["sha256:ab"]


def test_trials_that_are_chosen_among_all_start_alike(job_of: JobOf) -> None:
    for axis, start in (("optimizer.lr", "sha256:ab"), ("model.m1_from", None)):
        values = "[0.02, 0.04]" if axis == "optimizer.lr" else "[m2, m3]"
        job = replace(job_of(f"--grid.{axis}", values), starts={"tile": START})
        plan = make_plan(job, inventory(category("tile")), "fp32")
        assert [t.inputs.start for t in plan.trials] == [start, start]
        assert len(plan.notes) == 1


def test_equal_jobs_give_equal_plans_and_one_seed_more_changes_no_key(job_of: JobOf) -> None:
    found = inventory(category("tile"))
    plan = make_plan(job_of(), found, "fp32")
    assert make_plan(job_of(), found, "fp32") == plan
    larger = make_plan(job_of("--seeds", "[0, 1]", "--grid.optimizer.lr", "[0.04, 0.1]"),
                       found, "fp32")  # fmt: skip
    assert plan.trials[0].key in {t.key for t in larger.trials}


def test_placement_is_not_in_a_trials_key(job_of: JobOf) -> None:
    found = inventory(category("tile"))
    plain = make_plan(job_of(), found, "fp32")
    placed = make_plan(
        job_of("--device", "cpu", "--resources.threads", "2", "--checkpoint_every_steps", "7",
               "--executor", "inline", "--name", "other"),
        found, "fp32",
    )  # fmt: skip
    assert [t.key for t in placed.trials] == [t.key for t in plain.trials]


def test_auto_precision_is_resolved_and_in_the_key(job_of: JobOf) -> None:
    found = inventory(category("tile"))
    fp32, bf16 = (make_plan(job_of(), found, p).trials[0] for p in ("fp32", "bf16"))
    assert (fp32.method.training.precision, bf16.method.training.precision) == ("fp32", "bf16")
    assert fp32.key != bf16.key
    asked = make_plan(job_of("--training.precision", "fp32"), found, "bf16").trials[0]
    assert asked.key == fp32.key


def test_layers_win_in_order(job_of: JobOf) -> None:
    found = inventory(category("screw", 300), category("tile", 300))

    def samples(*argv: str) -> list[int]:
        return [t.method.memory.samples for t in make_plan(job_of(*argv), found, "fp32").trials]

    assert samples() == [120, 30]
    assert samples("--memory.samples", "20") == [20, 20]
    own = ("--memory.samples", "20", "--per_category.screw.memory.samples", "60")
    assert samples(*own) == [60, 20]
    assert samples(*own, "--grid.memory.samples", "[15]") == [15, 15]


def test_equal_trials_are_merged_and_said(job_of: JobOf) -> None:
    job = job_of("--grid.training.precision", "[auto, fp32]", "--grid.optimizer.lr", "[4e-2, .04]")
    plan = make_plan(job, inventory(category("tile")), "fp32")
    assert [dict(t.grid) for t in plan.trials] == [
        {"training.precision": "auto", "optimizer.lr": 0.04}
    ]
    assert plan.notes == ("tile: 3 trials equal to others were merged",)


def test_a_grid_value_that_a_category_cannot_have_is_dropped_for_it_alone(job_of: JobOf) -> None:
    job = job_of("--grid.memory.samples", "[15, 70]", "--grid.optimizer.lr", "[0.02, 0.04]")
    plan = make_plan(job, inventory(category("tile"), category("toothbrush", 60)), "fp32")
    assert [t.method.memory.samples for t in plan.trials_of("tile")] == [15, 15, 70, 70]
    assert [t.method.memory.samples for t in plan.trials_of("toothbrush")] == [15, 15]
    (dropped,) = plan.dropped
    assert (dropped.category, dict(dropped.values)) == ("toothbrush", {"memory.samples": 70})
    assert "60 normal images" in dropped.reason
    assert plan.planned("toothbrush") == 2
    assert not plan.problems


def test_a_false_positive_rate_that_a_category_cannot_have_is_refused_before_training(
    job_of: JobOf,
) -> None:
    found = inventory(category("tile"), category("toothbrush", 60))
    assert not make_plan(job_of(), found, "fp32").problems  # the default asks for nothing
    plan = make_plan(job_of("--evaluation.false_positive_rate", "0.06"), found, "fp32")
    assert list(plan.problems) == ["toothbrush"]
    assert "needs at least 16 held-out normal images" in plan.problems["toothbrush"]
    grid = make_plan(job_of("--grid.evaluation.false_positive_rate", "[0.06, 0.2]"), found, "fp32")
    (dropped,) = grid.dropped
    assert dict(dropped.values) == {"evaluation.false_positive_rate": 0.06}
    assert len(grid.trials_of("toothbrush")) == 1


def test_a_category_with_too_few_images_for_anything_is_a_problem(job_of: JobOf) -> None:
    job = job_of("--grid.memory.samples", "[15, 70]", "--seeds", "[0, 1]")
    plan = make_plan(job, inventory(category("few", 12), category("tile")), "fp32")
    assert "12 normal images" in plan.problems["few"]
    assert plan.trials_of("few") == ()
    assert [(r.seed, dict(r.grid)) for r in plan.refused] == [
        (seed, {"memory.samples": n}) for n in (15, 70) for seed in (0, 1)
    ]
    assert plan.planned("few") == 4
    assert plan.dropped == ()
    assert len(plan.trials_of("tile")) == 4


def test_a_category_that_cannot_be_listed_does_not_stop_the_others(job_of: JobOf) -> None:
    found = inventory(CategoryInventory("bad", problem="bad/train/good is empty"), category("tile"))
    plan = make_plan(job_of(), found, "fp32")
    assert plan.problems == {"bad": "bad/train/good is empty"}
    assert [r.category for r in plan.refused] == ["bad"]
    assert [t.category for t in plan.trials] == ["tile"]


def test_values_out_of_range_for_one_category_are_an_error_of_the_command(job_of: JobOf) -> None:
    job = job_of("--grid.loss.l1_weight", "[0, 1]", "--grid.loss.focal_weight", "[0, 1]")
    with pytest.raises(SettingError, match=r"category 'tile': loss.l1_weight and .* both be 0"):
        make_plan(job, inventory(category("tile")), "fp32")


def test_choosing_by_synthetic_validation_needs_held_out_images(job_of: JobOf) -> None:
    found = inventory(category("tile"))
    paper = ("--preset", "paper")
    assert len(make_plan(job_of(*paper), found, "fp32").trials) == 1
    several = (*paper, "--seeds", "[0, 1]")
    with pytest.raises(SettingError, match="nothing is held out"):
        make_plan(job_of(*several), found, "fp32")
    assert len(make_plan(job_of(*several, "--selection", "test"), found, "fp32").trials) == 2


def test_settings_for_a_category_that_is_not_there_are_noted(job_of: JobOf) -> None:
    job = job_of("--per_category.tiel.memory.samples", "9")
    plan = make_plan(job, inventory(category("tile")), "fp32")
    assert plan.notes == ("per_category 'tiel' is not among the categories of this sweep",)


def test_a_plan_survives_json(job_of: JobOf) -> None:
    job = job_of(
        "--grid.memory.samples", "[15, 70]",
        "--grid.simulation.transparency", "[[0.1, 1], [0.2, 1]]",
        "--grid.loss.l1_weight,loss.focal_weight", "[[0.4, 0.6], [0.5, 0.5]]",
        "--per_category.x.memory.samples", "9",
    )  # fmt: skip
    found = inventory(category("tile"), category("toothbrush", 60), category("few", 12))
    plan = make_plan(job, found, "fp32")
    assert plan.dropped
    assert plan.problems
    assert plan.notes
    text = json.dumps(plan.to_json(), sort_keys=True, allow_nan=False)
    again = from_json(json.loads(text))
    assert json.dumps(again.to_json(), sort_keys=True) == text
    assert [t.key for t in again.trials] == [t.key for t in plan.trials]
    assert (again.axes, again.refused, again.dropped) == (plan.axes, plan.refused, plan.dropped)


def test_a_plan_of_another_format_is_refused() -> None:
    with pytest.raises(SettingError, match="format 99"):
        from_json({"format": 99})
