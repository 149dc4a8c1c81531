"""What is timed and told of a network of PyTorch: a version's, or a trial's kept weights."""

from __future__ import annotations

from dataclasses import replace

from memseg.packages import package_versions
from memseg.prediction.model import AS_EVALUATED
from memseg.prediction.network_backend import NetworkBackend
from memseg.prediction.restoring import is_trial, restore_trial
from memseg.storage import open_folder
from memseg.timing.flops import count_flops, count_parameters
from memseg.timing.report import SpeedReport
from memseg.training.execution import make_execution, set_threads
from memseg.training.hardware import hardware


def open_trial(
    location: str, device: str, precision: str, threads: int
) -> tuple[str, NetworkBackend] | None:
    """The network of a trial's folder, and what it is called; None where it is no trial's.

    Raises what ``restore_trial`` and ``make_execution`` raise.
    """
    if not is_trial(location):
        return None
    if threads:
        set_threads(threads)
    trial = restore_trial(open_folder(location))
    config = trial.config
    chosen = config.training.precision if precision == AS_EVALUATED else precision
    execution = make_execution(device, chosen, config.training.channels_last)
    backend = NetworkBackend(trial.network, execution, config.image.size)
    return f"{trial.category}, trial {trial.key}", backend


def told_of(report: SpeedReport, backend: NetworkBackend) -> SpeedReport:
    """The report with the network's device, memory samples, parameters and operations."""
    network = backend.network
    parameters = count_parameters(network)
    return replace(
        report,
        device=str(hardware(backend.execution, backend.threads)["device"]),
        packages=package_versions(("torch", "numpy")),
        memory_samples=None if network.memory is None else len(network.memory.images),
        trained_parameters=parameters.trained,
        frozen_parameters=parameters.frozen,
        flops=count_flops(network, backend.size, backend.execution),
    )
