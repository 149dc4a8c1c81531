"""Costs on clusters of several sizes are the planner's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from orchestrator.planning import estimate
from orchestrator.planning.mvtec_ad import IMAGES, published_inventory
from orchestrator.planning.plan import Plan, make_plan
from orchestrator.planning.recorded import recorded_seconds
from orchestrator.planning.sizes import sizes_of


def job_of(*argv: str) -> Job:
    return read_job(
        ["--config", "jobs/paper.yaml", "--data.root", "/i", "--textures", "/t", *argv],
        {},
        Path("/"),
    )


@pytest.fixture
def plan() -> Plan:
    return make_plan(job_of(), published_inventory(), "bf16")


def test_the_published_images_are_mvtec_ads() -> None:
    # Table 1 of the data set's paper: 3629 images to train from, 1725 to test with.
    assert len(IMAGES) == 15
    assert sum(normal for normal, _, _ in IMAGES.values()) == 3629
    assert sum(good + anomalous for _, good, anomalous in IMAGES.values()) == 1725


def test_one_gpu_takes_the_sum_and_many_take_the_longest(plan: Plan) -> None:
    one, eight, many = sizes_of(plan, job_of().config.resources)
    at_once = [size.estimate.allotment.at_once for size in (one, eight, many)]
    assert at_once == [1, 8, 15]
    seconds = estimate.trial_seconds(plan, plan.trials, one.estimate.allotment)
    start = estimate.START_S["ray"]
    assert one.schedule.makespan_s == pytest.approx(sum(seconds) + 15 * start)
    assert many.schedule.makespan_s == pytest.approx(max(seconds) + start)
    assert many.schedule.makespan_s < eight.schedule.makespan_s < one.schedule.makespan_s
    hours = [size.gpu_hours for size in (one, eight, many)]
    assert hours == [pytest.approx(one.schedule.makespan_s / 3600)] * 3
    # A step of 510 GFLOP at the assumed speed, 2700 times, is nearly all of it.
    step = estimate.STEP_GFLOP / estimate.ASSUMED_GFLOP_PER_S["cuda", "bf16"]
    assert min(seconds) == pytest.approx(2700 * step, rel=0.1)


def test_another_assumption_gives_another_table(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sizes_of(plan, job_of().config.resources)[0]
    slower = {key: speed / 2 for key, speed in estimate.ASSUMED_GFLOP_PER_S.items()}
    monkeypatch.setattr(estimate, "ASSUMED_GFLOP_PER_S", slower)
    after = sizes_of(plan, job_of().config.resources)[0]
    started = 15 * estimate.START_S["ray"]
    assert after.schedule.makespan_s - started == pytest.approx(
        2 * (before.schedule.makespan_s - started)
    )


def test_a_measured_gpu_takes_the_place_of_the_assumption(plan: Plan) -> None:
    resources = job_of().config.resources
    cpu, gpu = result("cpu", 2.0), result("NVIDIA A100", 0.2)
    assumed, still, measured = (
        sizes_of(plan, resources, results)[0] for results in ([], [cpu], [cpu, gpu])
    )
    assert (assumed.estimate.measured, still.estimate.measured) == (0, 0)
    assert still.schedule == assumed.schedule
    assert measured.estimate.measured == 1
    assert measured.estimate.step_seconds == pytest.approx((0.2, 0.2))


def test_two_trials_share_a_gpu_where_the_job_says_so(plan: Plan) -> None:
    size = sizes_of(plan, job_of("--resources.gpus_per_trial", "0.5").config.resources)[0]
    assert size.estimate.allotment.at_once == 2
    assert size.gpu_hours == pytest.approx(size.schedule.busy_s / 2 / 3600)


def test_recorded_times_are_each_categorys_own_or_the_median_of_all(plan: Plan) -> None:
    results = [
        result("cpu", 2.0, "screw", evaluate=30.0),
        result("cpu", 4.0, "screw", evaluate=50.0),
        result("cpu", 1.0, "tile", evaluate=10.0),
        result("cpu", 0.5, "wood", size=128, evaluate=20.0),
        result("cpu", None, "tile", evaluate=1e9),  # was only evaluated
    ]
    seconds = dict(zip((t.category for t in plan.trials), recorded_seconds(plan, results)))
    assert seconds["screw"] == pytest.approx(2700 * 3.0 + 40.0)
    assert seconds["tile"] == pytest.approx(2700 * 1.0 + 10.0)
    assert seconds["wood"] == pytest.approx(2700 * 4 * 0.5 + 20.0)
    assert seconds["zipper"] == pytest.approx(2700 * 2.0 + 20.0)
    with pytest.raises(ValueError, match="no recorded trial"):
        recorded_seconds(plan, [])


def result(
    device: str, step: float | None, category: str = "screw", size: int = 256,
    evaluate: float = 1.0,
) -> dict[str, Any]:  # fmt: skip
    return {
        "category": category,
        "settings": {"image.size": size, "training.batch_size": 8, "training.precision": "bf16"},
        "hardware": {"device": device, "threads": 1},
        "seconds": {"step_median": step, "evaluate": evaluate},
    }
