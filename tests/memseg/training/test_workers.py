"""Several workers train what one trains."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from memseg.errors import SettingError
from memseg.training.shares import check_split
from memseg.training.workers import ALONE, Workers, current_workers
from tests.memseg.training.one_worker import run

REPOSITORY = Path(__file__).parents[3]


def workers(
    count: int, folder: Path, steps: int = 8, last: int = 8, dtype: str = "float64"
) -> tuple[list[float], dict[str, torch.Tensor]]:
    """Losses and final state of a run with so many processes."""
    folder.mkdir(exist_ok=True)
    (folder / "store").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.memseg.training.one_worker"]
    processes = [
        subprocess.Popen(
            [*command, str(rank), str(count), str(folder), dtype, str(steps), str(last)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        )
        for rank in range(count)
    ]
    said = [process.communicate(timeout=240)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * count, "\n".join(said)
    losses = json.loads((folder / "losses.json").read_text())
    return losses, load_file(folder / "weights.safetensors")


def assert_near(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    """Of a tensor's largest element: variances of the fused features are of the order of 1e13."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if value.is_floating_point():
            gap, size = (value - other[name]).abs().max(), other[name].abs().max()
            assert gap <= 1e-8 * size, name
        else:
            assert torch.equal(value, other[name]), name


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[float], dict[str, torch.Tensor]]:
    """One worker's 8 steps in float64, without a process of its own."""
    folder = tmp_path_factory.mktemp("alone")
    losses = run(ALONE, folder, torch.float64, 8, 8)
    return losses, load_file(folder / "weights.safetensors")


def test_two_workers_have_the_losses_and_the_weights_of_one(
    alone: tuple[list[float], dict[str, torch.Tensor]], tmp_path: Path
) -> None:
    losses, state = workers(2, tmp_path)
    assert len(losses) == 8
    assert losses == pytest.approx(alone[0], rel=1e-8)
    assert losses[0] != losses[-1]
    assert_near(state, alone[1])


@pytest.mark.long
def test_a_run_that_one_worker_began_goes_on_with_two(
    alone: tuple[list[float], dict[str, torch.Tensor]], tmp_path: Path
) -> None:
    """Momentum and weights of the checkpoint are in every loss after it."""
    begun, _ = workers(1, tmp_path, last=3)
    ended, _ = workers(2, tmp_path, last=7)
    assert [len(begun), len(ended)] == [3, 4]
    assert begun + ended == pytest.approx(alone[0][:7], rel=1e-8)


def test_each_place_of_the_batch_is_one_workers() -> None:
    for count in (1, 2, 4):
        places = [list(Workers(rank, count).positions(4)) for rank in range(count)]
        assert [place for part in places for place in part] == [0, 1, 2, 3]
        assert len({len(part) for part in places}) == 1


@pytest.mark.parametrize(("batch_size", "count"), [(8, 3), (8, 8), (4, 4), (6, 2)])
def test_a_batch_that_cannot_be_shared_equally_is_refused(batch_size: int, count: int) -> None:
    with pytest.raises(SettingError, match=f"batch_size {batch_size} .*{count} workers cannot"):
        check_split(batch_size, count)


def test_a_process_without_a_group_is_alone() -> None:
    assert current_workers() == Workers(0, 1)
