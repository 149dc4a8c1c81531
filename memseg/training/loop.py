"""The training loop: batches, steps, reports, checkpoints."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from memseg.config.method import MethodConfig
from memseg.errors import DivergedError, StorageError
from memseg.losses.losses import LossTerms
from memseg.model.network import MemSegNet
from memseg.simulation.batches import batch_indices
from memseg.simulation.simulate import Simulator
from memseg.training.checkpoint import pack, unpack
from memseg.training.execution import Execution
from memseg.training.intervals import Intervals
from memseg.training.reporting import CheckpointStore, Gate, Judge, Reporter
from memseg.training.schedule import learning_rate
from memseg.training.step import make_optimizer, set_learning_rate, train_step
from memseg.training.synced_norm import synchronise_norms
from memseg.training.workers import ALONE, Workers


@dataclass(frozen=True)
class TrainingImages:
    """What a run trains on: n normal images that are neither held out nor in the memory."""

    images: torch.Tensor
    """(n, 3, S, S) uint8, on the CPU."""
    foregrounds: torch.Tensor
    """(n, S, S) bool: where anomalies may be simulated."""


@dataclass(frozen=True)
class TrainingSummary:
    """What a run cost."""

    seconds: float
    """Of this process; steps before a resume are not in it."""
    step_seconds: float | None
    """Median of a step, None when no step was left to do."""
    resumed_at: int
    """Step of the checkpoint it went on from; 0 for a whole run."""
    stopped_at: int | None = None
    """The step at which the gate ended it; None for a run to the last step."""


def make_batch(
    data: TrainingImages, simulator: Simulator, config: MethodConfig, seed: int, step: int,
    execution: Execution, workers: Workers = ALONE,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """The batch of a step: one half normal, one half simulated (section 4.2).

    Returns images (B, 3, S, S) float in [0, 1] and masks (B, S, S) float in {0, 1}, on the
    device. A pure function of (data, config, seed, step); of several workers each gets its own
    images of the same global batch, B of them in all.
    """
    half = config.training.batch_size // 2
    places, n = workers.positions(half), data.images.shape[0]
    normal = batch_indices(n, seed, "normal", step, places, count=half)
    source = batch_indices(n, seed, "anomalous", step, places, count=half)
    images = execution.images(data.images[normal + source])
    share = len(places)
    simulated, masks = simulator(
        images[share:], data.foregrounds[source].to(execution.device), step, places
    )
    batch = torch.cat([images[:share], simulated])
    target = torch.cat([torch.zeros_like(masks), masks])
    return execution.layout(batch), target


def train(
    network: MemSegNet,
    data: TrainingImages,
    simulator: Simulator,
    config: MethodConfig,
    seed: int,
    execution: Execution,
    reporter: Reporter,
    checkpoints: CheckpointStore,
    intervals: Intervals,
    gate: Gate | None = None,
    workers: Workers = ALONE,
    judge: Judge | None = None,
) -> TrainingSummary:
    """Trains in place to the last step, going on from the newest checkpoint.

    ``gate`` may end it earlier; the checkpoint of that step is kept. With several ``workers``
    each calls this with the same arguments; the leader alone saves, asks the gate and lets
    ``judge`` look, all report the same. Raises DivergedError when the loss is no longer finite,
    StorageError where workers see different checkpoints.
    """
    max_steps = config.training.max_steps
    synchronise_norms(network, workers)
    optimizer = make_optimizer(config.optimizer, network.trainable_parameters())
    first, usable = _resume(network, optimizer, checkpoints, reporter)
    if not workers.agreed(first, execution.device):
        raise StorageError(
            f"worker {workers.rank} of {workers.count} found the checkpoint of step {first}, "
            "another one that of another step: they do not see the same storage"
        )
    if not usable and workers.leads:
        # All have read it. It has the latest step and would be found again before newer ones.
        checkpoints.discard()
    started = time.monotonic()
    durations: list[float] = []
    # Stopped between a gate's checkpoint and its answer: it is asked again.
    stopped_at = first if first and _ends(gate, first, max_steps, workers, execution) else None
    for step in range(first, max_steps if stopped_at is None else first):
        before = time.monotonic()
        set_learning_rate(optimizer, learning_rate(config.optimizer, step, max_steps))
        images, target = make_batch(data, simulator, config, seed, step, execution, workers)
        terms = train_step(network, optimizer, images, target, config.loss, execution, workers)
        done = step + 1
        every = intervals.checkpoint_steps
        judged = gate is not None and done in gate.steps
        saving = every is not None and (done % every == 0 or judged) and done < max_steps
        reporting = done % intervals.report_steps == 0 or done == max_steps
        # Looking at the loss waits for the device: only where it is said or saved.
        looking = judge is not None and done in judge.steps
        values = _finite(terms, done, config, workers) if saving or reporting or looking else {}
        durations.append(time.monotonic() - before)
        if judge is not None and looking and workers.leads:
            # Before the checkpoint: what goes on from it is not looked at again.
            judge.look(done)
        if reporting:
            reporter.progress(done, {**values, "step_seconds": statistics.median(durations)})
        if saving and workers.leads:
            checkpoints.save(done, pack(network, optimizer, done))
        if _ends(gate, done, max_steps, workers, execution):
            stopped_at = done
            break
    return TrainingSummary(
        seconds=time.monotonic() - started,
        step_seconds=statistics.median(durations) if durations else None,
        resumed_at=first,
        stopped_at=stopped_at,
    )


def _ends(
    gate: Gate | None, step: int, max_steps: int, workers: Workers, execution: Execution
) -> bool:
    """Whether the gate ends the run after this step; the last step ends it anyway."""
    if gate is None or step not in gate.steps or step >= max_steps:
        return False
    return not workers.leaders(gate.passes(step) if workers.leads else None, execution.device)


def _resume(
    network: MemSegNet,
    optimizer: torch.optim.Optimizer,
    checkpoints: CheckpointStore,
    reporter: Reporter,
) -> tuple[int, bool]:
    """The step that it goes on from; False where there is a checkpoint that cannot be used."""
    data = checkpoints.load()
    if data is None:
        return 0, True
    before = {name: value.clone() for name, value in network.state_dict().items()}
    try:
        step = unpack(data, network, optimizer)
    except StorageError as error:
        network.load_state_dict(before)
        reporter.event(f"{error}; starting again from step 0")
        return 0, False
    network.refresh_memory()
    reporter.event(f"goes on from step {step}")
    return step, True


def _finite(
    terms: LossTerms, step: int, config: MethodConfig, workers: Workers
) -> Mapping[str, float]:
    values = dict(zip(("loss", "l1", "focal"), workers.mean([terms.total, terms.l1, terms.focal])))
    if not math.isfinite(values["loss"]):
        raise DivergedError(
            f"the loss is {values['loss']} at step {step} with optimizer.lr {config.optimizer.lr}: "
            "lower the learning rate or the difference factor"
        )
    return values
