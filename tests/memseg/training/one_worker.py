"""One of several workers that train the small network; started by tests as a process of its own.

python -m tests.memseg.training.one_worker RANK COUNT FOLDER DTYPE STEPS LAST
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import distributed

from memseg.training.execution import Execution
from memseg.training.intervals import Intervals
from memseg.training.loop import train
from memseg.training.workers import Workers, current_workers
from tests.memseg.training.conftest import make_bench


@dataclass(frozen=True)
class Wide(Execution):
    """Images are float32 as always, and what the network gets of them has another type."""

    dtype: torch.dtype = torch.float32

    def images(self, images: torch.Tensor) -> torch.Tensor:
        return images.float().div_(255)

    def layout(self, images: torch.Tensor) -> torch.Tensor:
        return images.to(self.dtype)


class Losses:
    """Remembers every loss."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        self.values.append(values["loss"])

    def event(self, message: str) -> None:
        """Nothing."""


class Files:
    """Checkpoints in a folder that all workers see."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "checkpoint"

    def load(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None

    def save(self, step: int, data: bytes) -> None:
        self.path.write_bytes(data)

    def discard(self) -> None:
        self.path.unlink()


def run(workers: Workers, folder: Path, dtype: torch.dtype, steps: int, last: int) -> list[float]:
    """Trains to step ``last`` of ``steps``; returns the losses, leaves weights of the leader."""
    torch.set_num_threads(1)
    bench = make_bench(training__max_steps=steps)
    network = bench.network().to(dtype)
    execution = Wide(torch.device("cpu"), "fp32", False, dtype)
    losses = Losses()

    class UpTo:
        """Ends a run as a killed process does, but after its checkpoint."""

        steps = (last,)

        def passes(self, step: int) -> bool:
            return False

    train(
        network, bench.data, bench.simulator(), bench.config, 3, execution, losses, Files(folder),
        Intervals(report_steps=1, checkpoint_steps=5), UpTo(), workers,
    )  # fmt: skip
    if workers.leads:
        state = {n: v.detach().contiguous() for n, v in network.state_dict().items()}
        save_file(state, folder / "weights.safetensors")
        (folder / "losses.json").write_text(json.dumps(losses.values))
    return losses.values


def main() -> None:
    """As the command line says."""
    rank, count, place, dtype, steps, last = sys.argv[1:]
    folder = Path(place)
    if int(count) > 1:
        store = distributed.FileStore(str(folder / "store"), int(count))
        distributed.init_process_group("gloo", store=store, rank=int(rank), world_size=int(count))
    run(current_workers(), folder, getattr(torch, dtype), int(steps), int(last))
    if int(count) > 1:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
