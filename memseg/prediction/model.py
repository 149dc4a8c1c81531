"""What predicts, how it is wanted, and what it says about itself. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from memseg.prediction.backend import Backend
from memseg.prediction.policy import Thresholds

AS_EVALUATED = "as_evaluated"


@dataclass(frozen=True)
class Options:
    """How a model is loaded; the defaults are those it was evaluated with."""

    device: str = "auto"
    """"auto", "cpu" or "cuda"."""
    precision: str = AS_EVALUATED
    """"as_evaluated", "fp32" or "bf16"; thresholds were chosen in the precision of evaluation."""
    policy: str | None = None
    """See memseg.prediction.policy."""
    image_threshold: float | None = None
    pixel_threshold: float | None = None
    threads: int = 0
    """Of one operation on the CPU; 0 for all cores, or what PyTorch was told before."""


@dataclass(frozen=True)
class Model:
    """What predicts, with what it says about itself."""

    backend: Backend
    category: str
    id: str
    """The version's id, which is its trial's key."""
    location: str
    top_pixels: int
    """The image score is the mean of so many largest pixel scores."""
    thresholds: Thresholds
    warnings: tuple[str, ...] = ()


def other_precision(evaluated: str, precision: str) -> tuple[str, ...]:
    """The warning where a model predicts in another precision than its thresholds are of."""
    if precision == evaluated:
        return ()
    return (
        f"the model was evaluated in {evaluated} and predicts in {precision}: its thresholds were "
        "chosen on scores of the other precision",
    )
