"""Makes a ledger of many recorded trials on a local disk: files as trials write them, but fast.

A result is a real one's text with a trial's own values in place of the template's; nothing is
flushed to disk, nothing was trained.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from orchestrator.planning.mvtec_ad import published_inventory
from orchestrator.planning.plan import Plan, make_plan
from orchestrator.planning.trial import Trial

TRIALS_A_SEED = 2112
"""The paper's grid of 144 for 15 categories, without the memory that is too large for one."""
FAILED_EVERY = 500
"""So many trials apart there is a failure in place of a result."""


def scale_job(trials: int) -> Job:
    """The paper's grid with as many seeds as give at least so many trials."""
    seeds = list(range(-(-trials // TRIALS_A_SEED)))
    return read_job(
        ["--config", "jobs/paper-grid.yaml", "--data.root", "/mvtec_ad", "--textures", "/dtd",
         "--seeds", json.dumps(seeds)],
        {}, Path("/"),
    )  # fmt: skip


def scale_plan(job: Job) -> Plan:
    """Its plan over MVTec AD as published."""
    return make_plan(job, published_inventory(), "bf16")


def write_ledger(workspace: Path, plan: Plan) -> int:
    """Records every trial of the plan; returns the bytes written."""
    total, draw = 0, random.Random(0)
    for category in plan.categories:
        (workspace / "trials" / category.category).mkdir(parents=True)
    for number, (trial, text) in enumerate(zip(plan.trials, _results(plan, draw))):
        folder = workspace / "trials" / trial.category / trial.key
        folder.mkdir()
        name = "result.json"
        if number % FAILED_EVERY == FAILED_EVERY - 1:
            name, text = "failure.json", _failure(trial)
        data = text.encode()
        (folder / name).write_bytes(data)
        total += len(data)
    return total


def _failure(trial: Trial) -> str:
    return json.dumps({
        "category": trial.category, "key": trial.key, "kind": "lost", "attempts": 3,
        "message": "the worker was lost", "traceback": "",
    })  # fmt: skip


def _results(plan: Plan, draw: random.Random) -> Iterator[str]:
    """The text of each trial's result.json, in the plan's order."""
    method, shared = None, ""
    for trial in plan.trials:
        if trial.method is not method:
            method, shared = trial.method, _indented(_of_the_point(trial))
        own = _indented(_of_the_trial(trial, draw))
        yield f"{{\n{own},\n{shared}\n}}\n"


def _indented(values: dict[str, Any]) -> str:
    text = json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False)
    return text[2:-2]


def _of_the_point(trial: Trial) -> dict[str, Any]:
    """What seeds of one point of the grid have in common."""
    return {
        "bottleneck_weights": "random",
        "category": trial.category,
        "encoder_weights": trial.inputs.encoder_weights,
        "git_commit": "c3a7c5b0271546c96811fba8d9907b1f5939c191",
        "grid": dict(trial.grid),
        "hardware": {"cpu": "AMD EPYC", "device": "cpu", "threads": 2},
        "inputs": trial.inputs.to_json(),
        "method_version": 2,
        "packages": {
            "memseg-orchestrator": "0.1.0", "numpy": "2.4.6", "opencv-python-headless": "5.0.0.93",
            "python": "3.11.7", "ray": "2.60.0", "torch": "2.14.1", "torchvision": "0.29.1",
        },
        "precision": trial.method.training.precision,
        "settings": trial.settings,
        "steps": trial.method.training.max_steps,
        "training_images": 169,
        "undefined": {},
    }  # fmt: skip


def _of_the_trial(trial: Trial, draw: random.Random) -> dict[str, Any]:
    # Roles follow from the seed: memories of different sizes are prefixes of one order.
    order = random.Random(f"{trial.category} {trial.seed}").sample(range(400), 101)
    images = [f"{trial.category}/train/good/{number:03d}.png" for number in order]
    names = (
        "aupro", "image_ap", "image_auroc", "image_f1", "image_threshold", "pixel_ap",
        "pixel_auroc", "pixel_f1", "pixel_threshold",
    )  # fmt: skip
    return {
        "baseline_image_auroc": draw.random(),
        "ended_at": "2026-11-25T06:52:03+00:00",
        "held_out": images[:31],
        "key": trial.key,
        "memory_samples": images[31 : 31 + trial.method.memory.samples],
        "metrics": {name: draw.random() for name in names},
        "peak_memory_gib": round(draw.uniform(2, 4), 2),
        "seconds": {
            "evaluate": round(draw.uniform(20, 60), 3),
            "resumed_at_step": 0,
            "step_median": round(draw.uniform(1.8, 2.2), 4),
            "total": round(draw.uniform(5000, 6000), 3),
            "train": round(draw.uniform(5000, 6000), 3),
        },
        "seed": trial.seed,
        "started_at": "2026-11-25T06:41:38+00:00",
        "synthetic": {
            "image_ap": draw.random(), "images": 155, "loss": draw.random(),
            "pixel_ap": draw.random(), "score": draw.random(),
        },
        "training_key": trial.training_key,
        "weights_sha256": f"{draw.getrandbits(256):064x}",
    }  # fmt: skip
