"""Judging on a cluster: where trials run, not on the head."""

from __future__ import annotations

from collections.abc import Sequence

import ray

from memseg.errors import MemSegError, StorageError
from memseg.versions.version import Version
from orchestrator.job.settings import JobConfig
from orchestrator.planning.hardware import resolve_device
from orchestrator.planning.trial import Trial, from_json
from orchestrator.running.judging import judge
from orchestrator.running.placement import Placement
from orchestrator.running.ray_capacity import cluster_capacity
from orchestrator.running.ray_executor import ray_session
from orchestrator.running.ray_failures import in_words
from orchestrator.running.sources import Sources


def judge_on_ray(
    config: JobConfig,
    versions: Sequence[Version],
    trial: Trial,
    unseen: Sequence[str],
    known_tests: Sequence[str],
    sources: Sources,
    placement: Placement,
) -> dict[str, dict[str, float | None]]:
    """``judge`` in a task with a worker's resources. Raises MemSegError."""
    with ray_session(config.address):
        gpus = gpus_to_judge(config, placement.device, cluster_capacity(config.resources).gpus)
        task = ray.remote(_judge).options(
            num_cpus=config.resources.cpus,
            num_gpus=gpus,
            max_retries=3,
        )
        with in_words("Ray could not judge the models", StorageError):
            found = ray.get(
                task.remote(versions, trial.to_json(), unseen, known_tests, sources, placement)
            )
    if isinstance(found, MemSegError):
        raise found
    return found  # type: ignore[no-any-return]


def gpus_to_judge(config: JobConfig, device: str, gpus: int) -> float:
    """Of one judging task. Pure. ``gpus``: that the cluster has, or may get: none need be there."""
    return config.resources.gpus(resolve_device(device, gpus))


def _judge(
    versions: Sequence[Version],
    trial: dict[str, object],
    unseen: Sequence[str],
    known_tests: Sequence[str],
    sources: Sources,
    placement: Placement,
) -> dict[str, dict[str, float | None]] | MemSegError:
    """An error is handed back as a value: Ray would wrap it."""
    try:
        return judge(versions, from_json(trial), unseen, known_tests, sources, placement)
    except MemSegError as error:
        return error
