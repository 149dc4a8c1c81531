"""What a plan will cost: time, memory and disk, before anything is started. Pure.

Constants were measured on two CPU cores; every figure made from them is an estimate and shown
as one. Seconds per step come from finished trials of the ledger as soon as there are any.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memseg.config import MethodConfig
from orchestrator.planning.allotment import Allotment, controller_gib
from orchestrator.planning.hardware import GIB
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Trial

STEP_GFLOP = 510.0
"""A step of batch 8 at 256 x 256 pixels."""
FORWARD_GFLOP = 25.0
"""An image of 256 x 256 pixels."""
TRAINED_BYTES, FROZEN_BYTES = 73e6, 11e6
MEMORY_SAMPLE_BYTES = 1.84e6
"""Features of one memory sample at 256 x 256 pixels, fp32."""

ASSUMED_GFLOP_PER_S: Mapping[tuple[str, str], float] = {
    # A CPU thread: a step on two threads took 5.4 s in fp32 and 2 s in bf16 with AMX (results/).
    ("cpu", "fp32"): 47.0,
    ("cpu", "bf16"): 128.0,
    # A GPU was never measured: a step is bound by launches there, not by arithmetic.
    ("cuda", "fp32"): 5_000.0,
    ("cuda", "bf16"): 10_000.0,
}
START_S = {"ray": 12.0, "inline": 1.0}
"""A trial's start and end beside its training."""
_PROCESS_GIB, _ACTIVATIONS_GIB, _CUDA_GIB = 0.8, 3.2, 2.0
"""A training process: libraries; a batch of 8 at 256 x 256 pixels, with gradients; CUDA's own."""


@dataclass(frozen=True)
class Measurement:
    """What a finished trial took."""

    device: str
    precision: str
    gflop_per_s: float
    """Of one thread on a CPU, of the whole device otherwise."""
    peak_memory_gib: float | None


@dataclass(frozen=True)
class Estimate:
    """Costs of what is left of a plan."""

    allotment: Allotment
    left: int
    """Trials not yet done."""
    seconds: float
    """Until all are done."""
    step_seconds: tuple[float, float]
    """Of the fastest and the slowest trial; (0, 0) when none is left."""
    measured: int
    """Finished trials that the time comes from; 0: from assumed speeds."""
    head_gib: float
    """Memory for the controllers of all trials at once."""
    trial_gib: float
    """Memory of one training process, the largest."""
    shared_gib: float
    """Decoded images and textures, one copy a machine."""
    disk_gib: float
    """Weights, checkpoints and registry at the end, beside the images."""


def measurement(result: Mapping[str, Any]) -> Measurement | None:
    """What a result.json says about speed; None where it does not (an evaluation alone)."""
    settings, hardware = result.get("settings", {}), result.get("hardware", {})
    step = result.get("seconds", {}).get("step_median")
    try:
        # A GPU stands there by its name.
        device = "cpu" if hardware["device"] == "cpu" else "cuda"
        threads = int(hardware["threads"]) if device == "cpu" else 1
        threads *= int(hardware.get("workers", 1))
        gflop = step_gflop(settings["image.size"], settings["training.batch_size"])
        precision = str(settings["training.precision"])
    except KeyError:
        return None
    if not step or threads < 1:
        return None
    return Measurement(device, precision, gflop / step / threads, result.get("peak_memory_gib"))


def trial_memory_gib(method: MethodConfig, device: str) -> float:
    """Estimated memory of a training process on its machine, GiB.

    On "cuda" activations and memory samples are the GPU's; never measured.
    """
    if device != "cpu":
        return _PROCESS_GIB + _CUDA_GIB
    scale = (method.image.size / 256) ** 2
    memory = method.memory.samples * MEMORY_SAMPLE_BYTES * scale / GIB
    return _PROCESS_GIB + _ACTIVATIONS_GIB * scale * method.training.batch_size / 8 + memory


def largest_trial_gib(plan: Plan, device: str, results: Iterable[Mapping[str, Any]] = ()) -> float:
    """Memory of the plan's largest training process: estimated, or measured where more."""
    found = [m for m in map(measurement, results) if m and m.device == device]
    peaks = [m.peak_memory_gib or 0.0 for m in found]
    estimated = (trial_memory_gib(trial.method, device) for trial in plan.trials)
    return max([*peaks, *estimated], default=0.0)


def estimate(
    plan: Plan,
    allotment: Allotment,
    done: Collection[str],
    results: Iterable[Mapping[str, Any]] = (),
    kept: Collection[str] | None = None,
) -> Estimate:
    """Costs of the plan's trials whose key is not in ``done``.

    ``results``: finished trials of the same workspace (result.json), of any sweep. ``kept``: keys
    of the trials whose weights stay where nothing is published; None where winners are.
    """
    results = list(results)
    measured = [m for m in map(measurement, results) if m and m.device == allotment.device]
    left = [trial for trial in plan.trials if trial.key not in done]
    steps = _steps_seconds(left, allotment, measured)
    start = START_S[allotment.executor]
    seconds = [start + s for s in trial_seconds(plan, left, allotment, results)]
    precisions = {_precision(trial) for trial in left}
    used = [m for m in measured if m.precision in precisions]
    return Estimate(
        allotment=allotment,
        left=len(left),
        seconds=max(sum(seconds) / allotment.at_once, max(seconds)) if seconds else 0.0,
        step_seconds=(min(steps), max(steps)) if steps else (0.0, 0.0),
        measured=len(used),
        head_gib=_head_gib(allotment),
        trial_gib=largest_trial_gib(plan, allotment.device, results),
        shared_gib=_shared_bytes(plan) / GIB,
        disk_gib=_disk_bytes(plan, allotment, kept) / GIB,
    )


def trial_seconds(
    plan: Plan,
    trials: Sequence[Trial],
    allotment: Allotment,
    results: Iterable[Mapping[str, Any]] = (),
) -> list[float]:
    """Seconds that each of the plan's ``trials`` trains and evaluates, without ``START_S``.

    What ``schedule.start_order`` wants. ``results``: as for ``estimate``.
    """
    images = {c.category: c for c in plan.categories}
    measured = [m for m in map(measurement, results) if m and m.device == allotment.device]
    return [
        step * trial.method.training.max_steps
        + step * _evaluation_gflop(trial, images[trial.category]) / _gflop(trial)
        for trial, step in zip(trials, _steps_seconds(trials, allotment, measured))
    ]


def _precision(trial: Trial) -> str:
    return trial.method.training.precision


def step_gflop(size: int, batch: int) -> float:
    """Of one training step; ``size``: the image's side in pixels."""
    return STEP_GFLOP * (size / 256) ** 2 * batch / 8


def _gflop(trial: Trial) -> float:
    return step_gflop(trial.method.image.size, trial.method.training.batch_size)


def _steps_seconds(
    trials: Iterable[Trial], allotment: Allotment, measured: Iterable[Measurement]
) -> list[float]:
    """Seconds of one step of each trial."""
    by_precision: dict[str, list[float]] = defaultdict(list)
    for m in measured:
        by_precision[m.precision].append(m.gflop_per_s)
    speeds = {precision: statistics.median(found) for precision, found in by_precision.items()}
    # As if workers cost nothing: what they lose to one another was not measured.
    at_work = allotment.workers * (allotment.threads if allotment.device == "cpu" else 1)
    seconds = []
    for trial in trials:
        precision = _precision(trial)
        speed = speeds.get(precision) or ASSUMED_GFLOP_PER_S[allotment.device, precision]
        seconds.append(_gflop(trial) / (speed * at_work))
    return seconds


def _evaluation_gflop(trial: Trial, images: CategoryInventory) -> float:
    validation = trial.method.validation
    share = validation.held_out_share
    held_out = max(validation.held_out_least, round(share * images.normal)) if share else 0
    each = 1 + validation.anomalies + validation.turned
    simulated = min(held_out, validation.held_out_most) * each
    count = images.test_normal + images.test_anomalous + simulated
    return FORWARD_GFLOP * (trial.method.image.size / 256) ** 2 * count


def _head_gib(allotment: Allotment) -> float:
    if allotment.executor != "ray":
        return 0.0
    return controller_gib(allotment.workers) * allotment.at_once


def _shared_bytes(plan: Plan) -> float:
    total = 0.0
    for size in {trial.method.image.size for trial in plan.trials}:
        pixels = size**2
        total += plan.texture_images * 3 * pixels
        for c in plan.categories:
            tests = c.test_normal + c.test_anomalous
            total += (c.normal + tests) * 3 * pixels + tests * pixels
    return total


def _disk_bytes(plan: Plan, allotment: Allotment, stay: Collection[str] | None) -> float:
    def model(trial: Trial) -> float:
        images = trial.method.memory.samples * 3 * trial.method.image.size**2
        return TRAINED_BYTES + FROZEN_BYTES + images

    total = allotment.at_once * (2 * TRAINED_BYTES + FROZEN_BYTES)
    if stay is not None:
        everything = plan.keep_weights == "all"
        return total + sum(model(t) for t in plan.trials if everything or t.key in stay)
    for c in plan.categories:
        models = sorted(map(model, plan.trials_of(c.category)), reverse=True)
        # Current winners: the category's best, and the configuration best on average.
        kept = models if plan.keep_weights == "all" else models[:2]
        total += sum(kept) + sum(models[:1])
    return total
