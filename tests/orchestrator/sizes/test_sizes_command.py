"""The tables of sizes, and what they say of themselves."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from memseg.storage import open_folder
from orchestrator.job.files import REPOSITORY
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.estimate import ASSUMED_GFLOP_PER_S
from orchestrator.sizes.__main__ import main


@pytest.fixture(scope="module")
def text() -> str:
    """What the command says without arguments."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main([]) == 0
    return said.getvalue()


def test_assumed_figures_are_called_so_and_name_the_assumption(text: str) -> None:
    assert "no step was ever run on a GPU" in text
    assert f"{ASSUMED_GFLOP_PER_S['cuda', 'bf16']:.0f} GFLOP/s in bf16" in text
    lines = [line for line in text.splitlines() if line.startswith("| `jobs/")]
    cells = re.compile(r"jobs/([\w-]+).yaml.*? \| (\d+) \| (\d+) \|")
    assert [cells.findall(line)[0] for line in lines] == [
        ("paper", "1", "15"), ("paper", "8", "15"), ("paper", "64", "15"),
        ("paper-grid", "1", "2112"), ("paper-grid", "8", "2112"), ("paper-grid", "64", "2112"),
    ]  # fmt: skip
    assert all(line.count("*estimated*") == 2 for line in lines)


def test_the_papers_grid_keeps_64_slots_busy(text: str) -> None:
    schedule = text.partition("## Schedule")[2]
    lines = [line.split(" | ") for line in schedule.splitlines() if " | 64 | " in line]
    assert len(lines) == 2
    assert all(float(line[5]) >= 0.95 for line in lines)


def test_a_gpus_own_step_is_called_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Ledger(open_folder(tmp_path)).commit({
        "category": "screw", "key": "0123abcd", "weights_sha256": "w",
        "settings": {"image.size": 256, "training.batch_size": 8, "training.precision": "bf16"},
        "hardware": {"device": "NVIDIA A100", "threads": 1}, "seconds": {"step_median": 0.1},
    })  # fmt: skip
    assert main(["--workspace", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "**Measured**: the speed of a step is that of 1 finished trials on a GPU" in text
    assert "estimated" not in text.lower().partition("## schedule")[0]


def test_the_clusters_readme_has_the_sizes_that_the_command_writes(text: str) -> None:
    """The schedule below them changes with every trial that is added to results/."""
    sizes = text.partition("## Schedule")[0]
    assert sizes in (REPOSITORY / "cluster" / "README.md").read_text()


def test_what_cannot_be_read_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(tmp_path / "none")]) == 2
    assert main(["--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("error: ") == 2
    assert main(["--unknown"]) == 2
