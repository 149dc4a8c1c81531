"""Whether a trial can start from the weights of a published model. Pure."""

from __future__ import annotations

from memseg.config import METHOD_VERSION, MethodConfig
from orchestrator.job.start import Start

_SAME = ("model.", "difference.")
"""How names begin of settings that say what the weights compute with. No weight depends on the
size of images, and the memory is a trial's own."""


def objection(start: Start, method: MethodConfig, encoder_weights: str) -> str:
    """Why a trial with this method cannot start from there; "" where it can.

    ``encoder_weights``: identity of those that the trial has.
    """
    if start.method_version != METHOD_VERSION:
        return f"it was made by method version {start.method_version}, this is {METHOD_VERSION}"
    if start.encoder_weights != encoder_weights:
        return f"its encoder weights are {start.encoder_weights}, the job's {encoder_weights}"
    default = MethodConfig().by_name
    for name, value in method.by_name.items():
        # One that was added since had its default then.
        found = start.settings.get(name, default[name])
        if name.startswith(_SAME) and found != value:
            return f"it was trained with {name} {found}, the job has {value}"
    return ""
