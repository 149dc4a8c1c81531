"""The model whose speed is measured: a version, an exported file, or a trial's kept weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

from memseg.packages import package_versions
from memseg.prediction.backend import Backend
from memseg.prediction.loading import load_model
from memseg.prediction.model import AS_EVALUATED, Options
from memseg.prediction.network_backend import NetworkBackend
from memseg.prediction.restoring import is_trial, restore_trial
from memseg.storage import open_folder
from memseg.timing.flops import count_flops, count_parameters
from memseg.timing.report import BatchTimes, SpeedReport
from memseg.training.execution import make_execution, set_threads
from memseg.training.hardware import cpu_name, hardware


@dataclass(frozen=True)
class Subject:
    """What is timed."""

    name: str
    backend: Backend


def open_subject(location: str, device: str, precision: str, threads: int = 0) -> Subject:
    """A model from what a person writes.

    ``location``: what ``memseg.prediction.loading.load_model`` takes, or the folder of a trial that
    kept its weights; ``threads``: as ``memseg.prediction.model.Options`` has.
    Raises what these raise.
    """
    if is_trial(location):
        if threads:
            set_threads(threads)
        trial = restore_trial(open_folder(location))
        config = trial.config
        chosen = config.training.precision if precision == AS_EVALUATED else precision
        execution = make_execution(device, chosen, config.training.channels_last)
        backend = NetworkBackend(trial.network, execution, config.image.size)
        return Subject(f"{trial.category}, trial {trial.key}", backend)
    # Thresholds change no speed, and an older version has none of its own.
    options = Options(device, precision, image_threshold=0.5, pixel_threshold=0.5, threads=threads)
    model = load_model(location, options)
    return Subject(f"{model.category}, version {model.id}", model.backend)


def report_of(subject: Subject, batches: tuple[BatchTimes, ...]) -> SpeedReport:
    """What is known of a model, with its measured ``batches``."""
    backend = subject.backend
    report = SpeedReport(
        model=subject.name,
        cpu=cpu_name(),
        device="cpu",
        threads=backend.threads,
        precision=backend.precision,
        size=backend.size,
        packages=package_versions(("onnxruntime", "numpy")),
        batches=batches,
    )
    if not isinstance(backend, NetworkBackend):
        return report
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
