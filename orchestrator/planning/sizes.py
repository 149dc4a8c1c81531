"""What a job costs on clusters of several sizes. Pure.

Nothing was ever measured on a GPU: its speed is the planner's assumption (``estimate``), until
finished trials of such a device are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.job.settings import ResourcesConfig
from orchestrator.planning.allotment import allot
from orchestrator.planning.estimate import (
    START_S,
    Estimate,
    estimate,
    largest_trial_gib,
    trial_seconds,
)
from orchestrator.planning.hardware import Capacity
from orchestrator.planning.plan import Plan
from orchestrator.planning.schedule import Schedule, simulate, start_order

GPUS = (1, 8, 64)
CPUS_A_GPU, GIB_A_GPU = 8, 64
"""Of the machines that are assumed."""
DEVICE, EXECUTOR = "cuda", "ray"


@dataclass(frozen=True)
class Size:
    """One job on one cluster."""

    plan: Plan
    resources: ResourcesConfig
    gpus: int
    estimate: Estimate
    schedule: Schedule
    """Of all its trials, longest first, on as many slots as run at once."""

    @property
    def gpu_hours(self) -> float:
        """GPU time that trials take, with their start-up; idle GPUs are not counted."""
        return self.schedule.busy_s * self.estimate.allotment.gpus / 3600


def sizes_of(
    plan: Plan,
    resources: ResourcesConfig,
    results: Iterable[Mapping[str, Any]] = (),
    gpus: Sequence[int] = GPUS,
) -> tuple[Size, ...]:
    """The whole plan on each number of GPUs.

    ``results``: finished trials; those of a GPU replace the assumed speed. Raises SettingError
    where one trial does not fit.
    """
    results = list(results)
    memory_gib = largest_trial_gib(plan, DEVICE, results)
    sizes = []
    for count in gpus:
        capacity = Capacity(CPUS_A_GPU * count, count, GIB_A_GPU * count)
        allotment = allot(resources, EXECUTOR, DEVICE, capacity, len(plan.trials), memory_gib)
        seconds = trial_seconds(plan, plan.trials, allotment, results)
        schedule = simulate(start_order(seconds, seconds), allotment.at_once, START_S[EXECUTOR])
        costs = estimate(plan, allotment, (), results)
        sizes.append(Size(plan, resources, count, costs, schedule))
    return tuple(sizes)
