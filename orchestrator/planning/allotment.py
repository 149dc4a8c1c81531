"""How many trials run at once, and what one takes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from memseg.errors import SettingError
from orchestrator.job.settings import ResourcesConfig
from orchestrator.planning.hardware import Capacity

USABLE_MEMORY = 0.85


def controller_gib(workers: int) -> float:
    """Memory on the head for each running trial: its driver, its controller and their helpers.

    Measured: seven processes of 0.8 GiB in all. For several workers two of them import torch.
    """
    return 0.9 if workers == 1 else 1.2


@dataclass(frozen=True)
class Allotment:
    """What the executor gives to trials."""

    executor: str
    device: str
    threads: int
    cpus: int
    """Set aside for a worker."""
    gpus: float
    """Of a worker."""
    at_once: int
    limited_by: str
    """What keeps more trials from running at once."""
    workers: int = 1
    """Processes that train one model together."""
    worker_gib: float = 0.0
    """Memory of one of them."""


def allot(
    resources: ResourcesConfig,
    executor: str,
    device: str,
    capacity: Capacity,
    trials: int,
    trial_gib: float,
) -> Allotment:
    """Trials at once: as many as CPUs, GPUs, memory and settings admit, at least one.

    ``device``: "cpu" or "cuda". ``trial_gib``: memory of one training process. Raises
    SettingError when a single trial does not fit: it would wait for ever; and for several
    workers without Ray.
    """
    workers = resources.workers_per_trial
    cpus, gpus = resources.cpus, resources.gpus(device)
    if executor == "inline":
        if workers > 1:
            raise SettingError(
                f"resources.workers_per_trial {workers} needs executor ray: inline has one process"
            )
        return Allotment(executor, device, resources.threads, cpus, gpus, 1, "executor inline")
    _check_fits(resources, cpus, gpus, capacity)
    limits = {"trials": trials, "CPUs": capacity.cpus // (cpus * workers)}
    if gpus:
        limits["GPUs"] = capacity.gpus * int(1 / gpus + 1e-9) // workers
    per_trial = controller_gib(workers)
    if not capacity.trains_elsewhere:
        per_trial += trial_gib * workers
    limits["memory"] = max(1, int(USABLE_MEMORY * capacity.memory_gib / per_trial))
    if resources.max_concurrent:
        limits["resources.max_concurrent"] = resources.max_concurrent
    limited_by = min(limits, key=lambda name: limits[name])
    at_once = max(1, limits[limited_by])
    return Allotment(
        executor, device, resources.threads, cpus, gpus, at_once, limited_by, workers, trial_gib
    )


def _check_fits(resources: ResourcesConfig, cpus: int, gpus: float, capacity: Capacity) -> None:
    workers = resources.workers_per_trial
    among = f" of {workers} workers" if workers > 1 else ""
    if not capacity.cpus:
        raise SettingError(
            "there is no CPU for a trial: the cluster has a head only. Start a worker node, or "
            "name the nodes that its autoscaler would start: resources.autoscaled_nodes, "
            "resources.autoscaled_cpus and resources.autoscaled_gpus"
        )
    if cpus * workers > capacity.cpus:
        name = "cpus_per_trial" if resources.cpus_per_trial else "threads"
        or_workers = " or resources.workers_per_trial" if workers > 1 else ""
        raise SettingError(
            f"a trial{among} needs {cpus * workers} CPUs, there are {capacity.cpus}: "
            f"lower resources.{name}{or_workers}"
        )
    if gpus and capacity.gpus < 1:
        raise SettingError("device is cuda, but there is no GPU: set device to cpu or auto")
    if gpus and workers > 1 and capacity.gpus < workers:
        raise SettingError(
            f"a trial{among} needs {workers} GPUs, there are {capacity.gpus}: "
            "lower resources.workers_per_trial"
        )
