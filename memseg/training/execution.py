"""Where and how a network computes: device, precision, memory layout, threads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from memseg.errors import DeviceError, SettingError


@dataclass(frozen=True)
class Execution:
    """The one place that knows about devices; everything else asks it."""

    device: torch.device
    precision: str
    """"fp32" or "bf16"; auto was resolved when the trial was planned."""
    channels_last: bool

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """Convolutions in bf16 where that is the precision; weights and losses stay fp32."""
        with torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"
        ):
            yield

    def images(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, S, S) uint8 to float32 in [0, 1] on the device, in the network's layout."""
        moved = images.to(self.device).float().div_(255)
        return self.layout(moved)

    def layout(self, images: torch.Tensor) -> torch.Tensor:
        """The same values in the memory layout of the convolutions."""
        if self.channels_last:
            return images.contiguous(memory_format=torch.channels_last)
        return images

    def place(self, network: torch.nn.Module) -> None:
        """Moves a network to the device and into the memory layout, in place."""
        network.to(self.device)
        if self.channels_last:
            network.to(memory_format=torch.channels_last)


def make_execution(device: str, precision: str, channels_last: bool) -> Execution:
    """An Execution for "auto", "cpu" or "cuda". Raises DeviceError where there is no CUDA.

    Convolutions are asked to be deterministic, so that a trial gives the same bits again on a CPU;
    on CUDA they may differ by the backward pass of bilinear up-sampling. There fp32 is no TF32: its
    ten bits would be multiplied by the factor on the difference.
    """
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise DeviceError("device is cuda, but torch finds no CUDA device here: use auto or cpu")
    if precision not in ("fp32", "bf16"):
        raise SettingError(f"training.precision must be resolved before training, got {precision}")
    chosen = torch.device("cuda" if cuda and device != "cpu" else "cpu")
    if chosen.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.allow_tf32 = False
    return Execution(chosen, precision, channels_last)


def set_threads(threads: int) -> None:
    """Threads of one operation on the CPU; results are the same bits only for equal threads.

    Set by both executors: Ray gives its workers OMP_NUM_THREADS of their CPUs, a plain process
    takes all cores.
    """
    torch.set_num_threads(threads)
