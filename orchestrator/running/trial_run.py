"""The training function: one trial from its inputs to its committed result.

Both executors call it. It knows neither Ray nor the plan: what it needs is handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from memseg.config import METHOD_VERSION
from memseg.data.fingerprints import sha256
from memseg.data.product import Product
from memseg.data.roles import Roles
from memseg.evaluation.baseline import pixel_baseline
from memseg.evaluation.maps import anomaly_maps
from memseg.evaluation.synthetic import score_maps, synthetic_maps
from memseg.evaluation.thresholds import choose_thresholds
from memseg.figures.foreground import foreground_sheet
from memseg.metrics.auroc import auroc
from memseg.metrics.evaluate import compute_metrics
from memseg.metrics.rates import check_rates
from memseg.metrics.undefined import UndefinedMetric
from memseg.model.network import MemSegNet, load_state, start_from
from memseg.simulation.foreground import foreground_masks, resolved_foreground
from memseg.simulation.simulate import Simulator
from memseg.storage import Folder
from memseg.tensors import tensor_over
from memseg.training.allocator import keep_freed_memory
from memseg.training.execution import Execution, make_execution, set_threads
from memseg.training.hardware import hardware
from memseg.training.loop import TrainingImages, TrainingSummary, train
from memseg.training.reporting import CheckpointStore, Gate, Judge, Reporter
from memseg.training.workers import ALONE, Workers
from orchestrator.ledger.ledger import CHECKPOINTS, EXAMPLES, FOREGROUND, LOSSES, WEIGHTS
from orchestrator.planning.trial import Trial
from orchestrator.running.best_step import BestStep, judged_steps
from orchestrator.running.examples import example_sheet
from orchestrator.running.inputs import SharedInputs
from orchestrator.running.losses import LossCurve
from orchestrator.running.placement import Placement
from orchestrator.running.provenance import (
    git_commit,
    package_versions,
    peak_memory_gib,
)
from orchestrator.running.roles import network_of
from orchestrator.running.scoring import Score, on_test, on_validation
from orchestrator.running.starting import WarmStart


@dataclass(frozen=True)
class Stopped:
    """The trial's gate ended it after this step."""

    step: int


MakesGate = Callable[[Score], Gate]
"""A gate from a function that gives the network's score on synthetic validation."""


@dataclass(frozen=True)
class Trained:
    """An earlier trial with the same training."""

    result: Mapping[str, Any]
    weights: bytes
    losses: bytes | None = None
    """Its training curve, where it was kept."""


def run_trial(
    trial: Trial,
    inputs: SharedInputs,
    placement: Placement,
    folder: Folder,
    checkpoints: CheckpointStore,
    reporter: Reporter,
    trained: Trained | None = None,
    makes_gate: MakesGate | None = None,
    workers: Workers = ALONE,
    start: WarmStart | None = None,
) -> dict[str, Any] | Stopped | None:
    """Trains and evaluates; writes the weights into ``folder``; returns the result to commit.

    ``trained``: a finished trial with the same training key: then it is only evaluated.
    ``makes_gate``: may end it early, then nothing is evaluated and Stopped is returned. Of
    several ``workers`` all but the leader only train and return None. ``start``: of
    ``load_start``, where the trial is trained and does not start afresh. Raises MemSegError.
    """
    started_at, started = _now(), time.monotonic()
    config, product = trial.method, inputs.product
    inputs.check(trial.inputs, trial.category)
    set_threads(placement.threads)
    execution = make_execution(
        placement.device, config.training.precision, config.training.channels_last
    )
    curve = LossCurve(reporter)
    network, roles = network_of(trial, product, inputs.encoder, execution)
    # Before hours of training, not after.
    check_rates(config.evaluation, len(roles.held_out), config.image.size)
    if start is not None:
        start_from(network, start.state)
    judge = None
    if trained is None:
        if execution.device.type == "cpu":
            keep_freed_memory()
        data = _training_images(trial, product, roles, folder)
        batch = placement.evaluation_batch
        validation = on_validation(network, trial, product, roles, execution, batch)
        judge = _judge(trial, network, product, execution, placement, folder, validation)
        summary = _train(
            network, data, trial, inputs, execution, placement, checkpoints, curve,
            None if makes_gate is None else makes_gate(validation), workers, judge,
        )  # fmt: skip
        if summary.stopped_at is not None:
            return Stopped(summary.stopped_at)
    elif not workers.leads:
        return None
    else:
        summary = None
        load_state(network, load_tensors(trained.weights))
    if not workers.leads:
        return None
    reported = _reported(network, judge, trial, trained)
    evaluation_started = time.monotonic()
    found = _evaluate(network, trial, product, roles, execution, placement, folder)
    losses = curve.to_csv() if trained is None else trained.losses
    if losses is not None:
        folder.write(LOSSES, losses)
    weights = pack_weights(network)
    folder.write(WEIGHTS, weights)
    ended = time.monotonic()
    return {
        "key": trial.key,
        "training_key": trial.training_key,
        "category": trial.category,
        "seed": trial.seed,
        "method_version": METHOD_VERSION,
        "settings": trial.settings,
        "grid": trial.to_json()["grid"],
        "inputs": trial.inputs.to_json(),
        **found,
        "steps": config.training.max_steps,
        **reported,
        "seconds": _seconds(summary, ended - evaluation_started, ended - started),
        "peak_memory_gib": peak_memory_gib(),
        **_made_with(execution, placement, trained, workers),
        **_started(start, trained, product, roles),
        "encoder_weights": inputs.encoder.identity,
        "bottleneck_weights": "pretrained" if inputs.encoder.has_layer4 else "random",
        "memory_samples": [product.train_names[i] for i in roles.memory],
        "held_out": [product.train_names[i] for i in roles.held_out],
        "training_images": len(roles.training),
        "data_licence": asdict(product.licence) if product.licence else None,
        "foreground": resolved_foreground(
            product.train[list(roles.training)], config.foreground
        ).mode,
        "precision": config.training.precision,
        "weights_sha256": sha256(weights),
        "started_at": started_at,
        "ended_at": _now(),
    }


def pack_weights(network: MemSegNet) -> bytes:
    """All of a network's state, the memory images among it, as safetensors."""
    state = {n: v.detach().cpu().contiguous() for n, v in network.state_dict().items()}
    return bytes(save_tensors(state))


def _training_images(
    trial: Trial, product: Product, roles: Roles, folder: Folder
) -> TrainingImages:
    """What the trial trains on; leaves a picture of the foregrounds where there are any."""
    images = product.train[list(roles.training)]
    names = [product.train_names[i] for i in roles.training]
    foreground = resolved_foreground(images, trial.method.foreground)
    foregrounds = foreground_masks(images, foreground, names)
    if foreground.mode != "off":
        folder.write(FOREGROUND, foreground_sheet(images, foregrounds.numpy()))
    return TrainingImages(torch.from_numpy(images), foregrounds)


def _train(
    network: MemSegNet,
    data: TrainingImages,
    trial: Trial,
    inputs: SharedInputs,
    execution: Execution,
    placement: Placement,
    checkpoints: CheckpointStore,
    reporter: Reporter,
    gate: Gate | None,
    workers: Workers,
    judge: Judge | None,
) -> TrainingSummary:
    simulator = Simulator(
        trial.method.simulation,
        tensor_over(inputs.textures.images),
        trial.seed,
        execution.device,
    )
    return train(
        network, data, simulator, trial.method, trial.seed, execution, reporter, checkpoints,
        placement.intervals, gate, workers, judge,
    )  # fmt: skip


def _judge(
    trial: Trial,
    network: MemSegNet,
    product: Product,
    execution: Execution,
    placement: Placement,
    folder: Folder,
    validation: Score,
) -> BestStep | None:
    """What chooses the step whose weights are kept; None where it is the last."""
    training = trial.method.training
    if training.reported_step == "last":
        return None
    score = validation
    if training.reported_step == "test":
        score = on_test(network, trial, product, execution, placement.evaluation_batch)
    # Among the checkpoints, which go when the trial is done.
    return BestStep(
        folder.sub(CHECKPOINTS), judged_steps(training), score, lambda: pack_weights(network)
    )


def _reported(
    network: MemSegNet, judge: BestStep | None, trial: Trial, trained: Trained | None
) -> dict[str, Any]:
    """Puts the best step's weights into the network; what the result says of it, if anything."""
    if trained is not None:
        return {n: value for n, value in trained.result.items() if n == "reported_step"}
    if judge is None:
        return {}
    step, weights = judge.best()
    load_state(network, load_tensors(weights))
    scores = {str(judged): score for judged, score in sorted(judge.scores().items())}
    by = trial.method.training.reported_step
    return {"reported_step": {"step": step, "by": by, "scores": scores}}


def _evaluate(
    network: MemSegNet,
    trial: Trial,
    product: Product,
    roles: Roles,
    execution: Execution,
    placement: Placement,
    folder: Folder,
) -> dict[str, Any]:
    settings = trial.method.evaluation
    maps = anomaly_maps(network, product.test, execution, placement.evaluation_batch)
    if len(maps):
        folder.write(EXAMPLES, example_sheet(product, maps, settings.top_pixels))
    metrics = compute_metrics(
        maps, product.test_labels, product.masks, settings.top_pixels, settings.aupro_limit
    )
    held_out = product.train[list(roles.held_out)]
    synthetic = synthetic_maps(
        network, held_out, trial.method, trial.seed, execution, placement.evaluation_batch
    )
    return {
        "metrics": metrics.values,
        "undefined": metrics.undefined,
        "synthetic": None if synthetic is None else asdict(score_maps(synthetic, trial.method)),
        "thresholds": asdict(choose_thresholds(synthetic, settings)),
        "baseline_image_auroc": _baseline(product, roles),
    }


def _baseline(product: Product, roles: Roles) -> float | None:
    """Image AUROC of the smallest pixel difference to the memory images; None if undefined."""
    scores = pixel_baseline(product.test, product.train[list(roles.memory)])
    try:
        return auroc(scores, product.test_labels)
    except UndefinedMetric:
        return None


def _made_with(
    execution: Execution, placement: Placement, trained: Trained | None, workers: Workers
) -> dict[str, Any]:
    """What the weights were trained with; of the earlier trial where this one only evaluates."""
    if trained is not None:
        kept = ("hardware", "packages", "git_commit")
        return {
            "trained_as": trained.result["key"],
            **{name: trained.result.get(name) for name in kept},
        }
    return {
        "hardware": {
            **hardware(execution, placement.threads),
            **({"workers": workers.count} if workers.count > 1 else {}),
        },
        "packages": package_versions(),
        "git_commit": git_commit(),
    }


def _started(
    start: WarmStart | None, trained: Trained | None, product: Product, roles: Roles
) -> dict[str, Any]:
    """Where the weights began, for a trial that does not start afresh."""
    if start is not None:
        return {"warm_start": start.to_json([product.train_hashes[i] for i in roles.held_out])}
    if trained is not None and "warm_start" in trained.result:
        return {"warm_start": trained.result["warm_start"]}
    return {}


def _seconds(
    summary: TrainingSummary | None,
    evaluate: float,
    total: float,
) -> dict[str, float | int | None]:
    if summary is None:
        return {"evaluate": round(evaluate, 3), "total": round(total, 3)}
    return {
        "train": round(summary.seconds, 3),
        "evaluate": round(evaluate, 3),
        "total": round(total, 3),
        "step_median": None if summary.step_seconds is None else round(summary.step_seconds, 4),
        "resumed_at_step": summary.resumed_at,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
