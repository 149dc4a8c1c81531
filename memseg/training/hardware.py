"""What a network computes on, in words. No host name, no user name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the processor's name is asked for where there is no torch too
    from memseg.training.execution import Execution


def hardware(execution: Execution, threads: int) -> dict[str, str | int]:
    """The processor, the device that computes, and threads of one operation on the CPU."""
    if execution.device.type == "cuda":
        import torch

        device = torch.cuda.get_device_name(execution.device)
    else:
        device = "cpu"
    return {"cpu": cpu_name(), "device": device, "threads": threads}


def cpu_name() -> str:
    """The processor's name, "unknown" where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"
