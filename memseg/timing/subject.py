"""The model whose speed is measured: a version, an exported file, or a trial's kept weights.

An exported file is timed without torch, where it is to run.
"""

from __future__ import annotations

from dataclasses import dataclass

from memseg.export.onnx_model import OnnxModel
from memseg.packages import package_versions
from memseg.prediction.backend import Backend
from memseg.prediction.loading import EXPORTED, OF_A_VERSION, load_model
from memseg.prediction.model import Options
from memseg.timing.report import BatchTimes, SpeedReport
from memseg.training.hardware import cpu_name


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
    if not location.lower().endswith(tuple(EXPORTED)):
        try:
            from memseg.timing.of_network import open_trial
        except ModuleNotFoundError as error:
            if error.name not in OF_A_VERSION:
                raise  # else ``load_model`` says what is missing
        else:
            trial = open_trial(location, device, precision, threads)
            if trial is not None:
                return Subject(*trial)
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
    if isinstance(backend, OnnxModel):
        return report
    from memseg.prediction.network_backend import NetworkBackend
    from memseg.timing.of_network import told_of

    return told_of(report, backend) if isinstance(backend, NetworkBackend) else report
