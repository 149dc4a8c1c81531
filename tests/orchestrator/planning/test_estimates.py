"""What a plan costs, and what a dry run prints."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memseg.config import MethodConfig, build
from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from orchestrator.planning.allotment import Allotment
from orchestrator.planning.estimate import (
    FORWARD_GFLOP,
    START_S,
    STEP_GFLOP,
    estimate,
    measurement,
    trial_memory_gib,
)
from orchestrator.planning.inventory import CategoryInventory, Inventory
from orchestrator.planning.plan import Plan, make_plan
from orchestrator.planning.render import as_text, duration, render_dry_run

TWO = Allotment("ray", "cpu", threads=1, cpus=1, gpus=0.0, at_once=2, limited_by="CPUs")


def test_an_assumed_speed_is_the_measured_prototypes(tmp_path: Path) -> None:
    # A step on two cores took about 5.4 s in fp32, 2 s in bf16 with AMX.
    two_threads = replace(TWO, threads=2)
    fp32 = estimate(_plan(tmp_path), two_threads, set())
    assert fp32.step_seconds[0] == pytest.approx(5.4, rel=0.02)
    assert fp32.measured == 0
    bf16 = estimate(_plan(tmp_path, precision="bf16"), two_threads, set())
    assert bf16.step_seconds[0] == pytest.approx(2, rel=0.02)


def test_time_grows_with_pixels_steps_and_batch_and_shrinks_with_trials_at_once(
    tmp_path: Path,
) -> None:
    steps = 10_000  # so many that starting and evaluating hardly count
    base = _seconds(tmp_path, "--training.max_steps", str(steps))
    for argv, factor in (
        (["--training.max_steps", str(2 * steps)], 2.0),
        (["--training.max_steps", str(steps), "--image.size", "128"], 0.25),
        (["--training.max_steps", str(steps), "--training.batch_size", "16"], 2.0),
    ):
        assert _seconds(tmp_path, *argv) == pytest.approx(factor * base, rel=0.02)
    plan = _plan(tmp_path)
    one = estimate(plan, replace(TWO, at_once=1), set()).seconds
    assert estimate(plan, TWO, set()).seconds == pytest.approx(one / 2)
    longest = estimate(plan, replace(TWO, at_once=100), set()).seconds
    assert longest == pytest.approx(one / 2, rel=0.01)  # two trials: no faster than one of them


def test_finished_trials_cost_nothing_and_lend_their_speed(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    first, second = (trial.key for trial in plan.trials)
    result = _result(step_median=2.0, threads=2, size=256)
    found = estimate(plan, TWO, {first}, [result])
    assert (found.left, found.measured) == (1, 1)
    assert found.step_seconds == pytest.approx((4.0, 4.0))  # one thread, not two
    done = estimate(plan, TWO, {first, second}, [result])
    assert (done.left, done.seconds, done.step_seconds) == (0, 0.0, (0.0, 0.0))


def test_speeds_of_another_device_or_precision_are_not_used(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    assumed = estimate(plan, TWO, set())
    for result in (
        _result(precision="bf16"),
        _result(device="NVIDIA A100"),
        _result(step_median=None),
        {"seconds": {}},
    ):
        assert estimate(plan, TWO, set(), [result]).step_seconds == assumed.step_seconds
    assert measurement(_result(step_median=None)) is None


def test_a_measured_peak_above_the_estimate_counts(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    assert estimate(plan, TWO, set()).trial_gib < 5
    assert estimate(plan, TWO, set(), [_result(peak=9.5)]).trial_gib == 9.5


def test_memory_and_disk_are_multiplied_by_what_they_are_for(tmp_path: Path) -> None:
    plan = _plan(tmp_path, "--seeds", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]")
    found = estimate(plan, TWO, set())
    assert found.head_gib == pytest.approx(1.8)
    assert estimate(plan, replace(TWO, executor="inline"), set()).head_gib == 0.0
    best = found.disk_gib
    everything = estimate(replace(plan, keep_weights="all"), TWO, set()).disk_gib
    one_model_gib = (73e6 + 11e6 + 30 * 3 * 256**2) / 2**30
    assert everything - best == pytest.approx((20 - 4) * one_model_gib)
    # 2 x (200 + 12) images of three channels, 2 x 12 masks, 48 textures.
    assert found.shared_gib * 2**30 == pytest.approx((424 * 3 + 24 + 48 * 3) * 256**2)


def test_a_dry_run_says_what_there_is_in_100_columns(tmp_path: Path) -> None:
    job = _job(tmp_path, "--grid.memory.samples", "[15, 70]", "--selection", "test",
               "--encoder_weights", "random")  # fmt: skip
    plan = make_plan(
        job,
        _inventory(
            _category("tile"),
            _category("toothbrush", 60),
            _category("screw", test_anomalous=0),
            _category("lid[left]", has_masks=False),
            CategoryInventory("x" * 90, problem="there is no normal image in " + "long/" * 40),
        ),
        "fp32",
    )
    done = {plan.trials[0].key}
    text = as_text(render_dry_run(job, plan, estimate(plan, TWO, done), done))
    assert max(map(len, text.splitlines())) <= 100
    flat = " ".join(text.replace("│", " ").split())
    for expected in (
        "memory.samples: 15, 70",
        "an ORACLE",
        "RANDOM",
        "textures are drawn by the code",
        "toothbrush, memory.samples 70: category 'toothbrush' has 60 normal images",
        "only normal test images: image AUROC is not defined",
        "no masks: pixel AUROC and AUPRO are not defined",
        "lid[left]",
        "2 cannot be run",
        "there is no normal image in long/",
        "2 (limited by CPUs), executor ray",
        "1.8 GiB for controllers, estimated",
        "for 6 trials",
        "estimated from assumed speeds",
        "nothing was started",
    ):
        assert expected in flat


def test_a_dry_run_with_everything_done_or_nothing_to_do_can_be_shown(tmp_path: Path) -> None:
    job = _job(tmp_path)
    for plan in (_plan(tmp_path), make_plan(job, _inventory(_category("few", 9)), "fp32")):
        done = {trial.key for trial in plan.trials}
        text = as_text(render_dry_run(job, plan, estimate(plan, TWO, done), done))
        assert ("nothing is left to do" if plan.trials else "no trial can be run") in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89, "89 s"), (1200, "20 min"), (3 * 3600 + 1200, "3 h 20 min"),
     (7200, "2 h"), (102 * 3600, "4 days 6 h")],
)  # fmt: skip
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_planning_imports_neither_torch_nor_ray() -> None:
    code = (
        "import sys, orchestrator.job.read, orchestrator.job.help, orchestrator.planning.render, "
        "orchestrator.planning.inventory, orchestrator.planning.plan\n"
        "print(sorted({'torch', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def _category(name: str, normal: int = 200, **changed: Any) -> CategoryInventory:
    values: dict[str, Any] = {
        "test_normal": 5, "test_anomalous": 7, "has_masks": True, "train_fingerprint": "t",
        "test_fingerprint": "e", "train_hashes": tuple(f"{name} {i}" for i in range(normal)),
    }  # fmt: skip
    return CategoryInventory(name, normal, **{**values, **changed})


def _inventory(*categories: CategoryInventory) -> Inventory:
    return Inventory(categories, "procedural:1", 48, "random")


def _job(tmp_path: Path, *argv: str) -> Job:
    (tmp_path / "line.yaml").write_text("")
    return read_job(["--config", "line.yaml", "--data.root=/i", *argv], {}, tmp_path)


def _plan(tmp_path: Path, *argv: str, precision: str = "fp32") -> Plan:
    inventory = _inventory(_category("tile"), _category("wood"))
    return make_plan(_job(tmp_path, *argv), inventory, precision)


def _seconds(tmp_path: Path, *argv: str) -> float:
    return estimate(_plan(tmp_path, *argv), TWO, set()).seconds


def _result(
    *, step_median: float | None = 2.0, threads: int = 1, size: int = 256,
    precision: str = "fp32", device: str = "cpu", peak: float = 1.0,
) -> dict[str, Any]:  # fmt: skip
    return {
        "settings": {
            "image.size": size, "training.batch_size": 8, "training.precision": precision,
        },
        "hardware": {"device": device, "threads": threads},
        "seconds": {"step_median": step_median},
        "peak_memory_gib": peak,
    }  # fmt: skip


def test_starting_and_evaluating_have_their_share(tmp_path: Path) -> None:
    options = ("--training.max_steps", "1", "--validation.turned", "2")
    plan = _plan(tmp_path, *options)
    found = estimate(plan, replace(TWO, at_once=1), set())
    step = found.step_seconds[0]
    (one, *_) = plan.categories
    held_out = round(0.1 * one.normal)
    images = one.test_normal + one.test_anomalous + held_out * (1 + 4 + 2)
    each = START_S["ray"] + step * (1 + images * FORWARD_GFLOP / STEP_GFLOP)
    assert found.seconds == pytest.approx(len(plan.trials) * each)


def test_workers_of_one_trial_share_its_work(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    alone, both = (estimate(plan, replace(TWO, workers=n), set()) for n in (1, 2))
    assert both.step_seconds[0] == pytest.approx(alone.step_seconds[0] / 2)
    result = _result(step_median=2.0, threads=1, size=256)
    shared = {**result, "hardware": {**result["hardware"], "workers": 2}}
    one, two = (measurement(r) for r in (result, shared))
    assert one is not None
    assert two is not None
    assert two.gflop_per_s == pytest.approx(one.gflop_per_s / 2)


def test_a_trials_memory_grows_with_its_batch_and_its_pixels() -> None:
    def gib(**settings: object) -> float:
        return trial_memory_gib(build(MethodConfig, {"memory.samples": 1, **settings}), "cpu")

    base = gib()
    assert gib(**{"training.batch_size": 16}) == pytest.approx(base + 3.2)
    assert gib(**{"image.size": 128}) == pytest.approx(0.8 + (base - 0.8) / 4)
    large = build(MethodConfig, {"training.batch_size": 64})
    assert trial_memory_gib(large, "cuda") < base  # what grows is the GPU's


def test_disk_counts_the_registry_or_the_weights_that_stay(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    model = (73e6 + 11e6 + 30 * 3 * 256**2) / 2**30
    working = 2 * (2 * 73e6 + 11e6) / 2**30
    # Of each of two categories its only trial's weights, and the registry's copy.
    assert estimate(plan, TWO, set()).disk_gib == pytest.approx(working + 2 * 2 * model)
    kept = {plan.trials[0].key}
    assert estimate(plan, TWO, set(), kept=kept).disk_gib == pytest.approx(working + model)
    everything = replace(plan, keep_weights="all")
    assert estimate(everything, TWO, set(), kept=kept).disk_gib == pytest.approx(
        working + 2 * model
    )
