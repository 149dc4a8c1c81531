"""What was measured, as data and as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from memseg.words import counted

PAPER_IMAGES_PER_SECOND = 31.34
"""Section 4.8: 0.0319 s an image on an NVIDIA RTX 3090; batch and precision are not said."""
PAPER_SECONDS = 0.0319
PAPER_HARDWARE = "NVIDIA RTX 3090"


@dataclass(frozen=True)
class BatchTimes:
    """Runs of one batch size."""

    batch: int
    """Images at once."""
    seconds: tuple[float, ...]
    """Of each run; empty where the batch did not fit into memory."""

    @property
    def images_per_second(self) -> float | None:
        """All images by all of the time."""
        return self.batch * len(self.seconds) / sum(self.seconds) if self.seconds else None

    def percentile(self, q: float) -> float | None:
        """Seconds that q percent of the runs took at most, between runs interpolated."""
        return float(np.percentile(self.seconds, q)) if self.seconds else None


@dataclass(frozen=True)
class SpeedReport:
    """Speed, parameters and operations of one model, with what it was measured on."""

    model: str
    """Category and version or trial."""
    cpu: str
    device: str
    threads: int
    """Of one operation on the CPU."""
    precision: str
    size: int
    """Side of the images in pixels."""
    packages: Mapping[str, str]
    batches: tuple[BatchTimes, ...]
    memory_samples: int | None = None
    """None where the model has no memory, or does not say."""
    trained_parameters: int | None = None
    """None for an exported file."""
    frozen_parameters: int | None = None
    flops: Mapping[str, int] = field(default_factory=dict)
    """Component -> operations an image, see memseg.timing.flops; {} for an exported file."""

    @property
    def best(self) -> BatchTimes | None:
        """The batch with the most images a second; None where none fitted."""
        timed = [b for b in self.batches if b.images_per_second is not None]
        return max(timed, key=lambda b: b.images_per_second or 0.0, default=None)

    @property
    def single(self) -> BatchTimes | None:
        """Batch 1, where it was measured."""
        return next((b for b in self.batches if b.batch == 1 and b.seconds), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values, with what is computed from the runs."""
        about = {name: value for name, value in asdict(self).items() if name != "batches"}
        batches = [
            {
                "batch": b.batch,
                "images_per_second": b.images_per_second,
                "p50_seconds": b.percentile(50),
                "p95_seconds": b.percentile(95),
                "seconds": list(b.seconds),
            }
            for b in self.batches
        ]
        best = self.best
        return {
            **about,
            "batches": batches,
            "best_batch": None if best is None else best.batch,
            "total_flops": sum(self.flops.values()) or None,
            "paper": {
                "images_per_second": PAPER_IMAGES_PER_SECOND,
                "seconds_per_image": PAPER_SECONDS,
                "hardware": PAPER_HARDWARE,
            },
        }


def speed_text(report: SpeedReport) -> str:
    """The report for a terminal, at most 100 columns."""
    packages = ", ".join(f"{name} {version}" for name, version in report.packages.items())
    memory = "" if report.memory_samples is None else f", {report.memory_samples} memory samples"
    threads = counted(report.threads, "thread")
    device = "" if report.device == "cpu" else f"{report.device}, "
    lines = [
        f"Speed of {report.model}",
        f"  on      {device}{report.cpu}, {threads}, {report.precision}",
        f"  model   {report.size} x {report.size} pixels{memory}",
        f"  with    {packages}",
        "  timed   from uint8 images in memory to anomaly maps in memory, one batch after the",
        "          other; reading, decoding and resizing files are not in it",
        "",
        *_batch_lines(report.batches),
        "",
        *_comparison_lines(report),
    ]
    if report.trained_parameters is not None and report.frozen_parameters is not None:
        trained, frozen = report.trained_parameters, report.frozen_parameters
        lines += ["", f"Parameters: {trained:,} trained, {frozen:,} frozen"]
    if report.flops:
        lines += ["", *_flop_lines(report.flops)]
    if report.trained_parameters is None:
        lines += ["", "Parameters and operations are not known of an exported file."]
    return "\n".join(lines) + "\n"


def _batch_lines(batches: Sequence[BatchTimes]) -> list[str]:
    lines = ["  batch   images/s   p50 of a batch   p95 of a batch   runs"]
    for b in batches:
        speed, half, most = b.images_per_second, b.percentile(50), b.percentile(95)
        if speed is None or half is None or most is None:
            lines.append(f"  {b.batch:5}   did not fit into memory")
            continue
        lines.append(
            f"  {b.batch:5}   {speed:8.2f}   {half * 1000:11.1f} ms   {most * 1000:11.1f} ms   "
            f"{len(b.seconds):4}"
        )
    return lines


def _comparison_lines(report: SpeedReport) -> list[str]:
    rows = []
    for name, times in (("at batch 1", report.single), ("at the best batch", report.best)):
        speed = None if times is None else times.images_per_second
        if times is not None and speed is not None:
            which = f" ({times.batch})" if name != "at batch 1" else ""
            rows.append((f"{name}{which}", speed, 1 / speed))
    rows.append((f"the paper, {PAPER_HARDWARE}", PAPER_IMAGES_PER_SECOND, PAPER_SECONDS))
    width = max(len(name) for name, _, _ in rows)
    lines = [f"  {n:{width}}   {s:8.2f} images/s   {t:.4f} s an image" for n, s, t in rows]
    return [*lines, "  The paper's is another machine; it does not say batch and precision."]


def _flop_lines(flops: Mapping[str, int]) -> list[str]:
    total = sum(flops.values())
    width = max(map(len, flops))
    return [
        "Operations an image (a multiply-add is two)",
        *(
            f"  {name:{width}}   {count / 1e9:8.3f} GFLOP   {count / total:6.1%}"
            for name, count in flops.items()
        ),
        f"  {'together':{width}}   {total / 1e9:8.3f} GFLOP",
        "  Convolutions and matrix products are counted as they run; the memory comparison by",
        "  formula: E (k² + 3N + 3), with E elements of levels 1 to 3, smoothing k, N samples",
        "  (squared distances: E (k² + 2N + 9); normalisation: E more). Not counted: BatchNorm,",
        "  activations, pooling, interpolation, a few operations an element.",
    ]
