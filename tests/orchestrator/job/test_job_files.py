"""The job files of this repository, and the help text."""

from __future__ import annotations

from pathlib import Path

import pytest

from memseg.config import MethodConfig, known_names
from orchestrator.job.arguments import wants_help
from orchestrator.job.files import REPOSITORY, describe_job_files
from orchestrator.job.help import help_text
from orchestrator.job.read import read_job
from orchestrator.job.settings import JobConfig
from orchestrator.planning.grid import grid_points

JOB_FILES = sorted((REPOSITORY / "jobs").glob("*.yaml"))


def test_there_are_the_three_job_files() -> None:
    assert {"demo.yaml", "paper.yaml", "best.yaml", "paper-grid.yaml"} <= {
        path.name for path in JOB_FILES
    }


@pytest.mark.parametrize("path", JOB_FILES, ids=lambda path: path.name)
def test_every_job_file_is_a_job(path: Path, tmp_path: Path) -> None:
    job = read_job(["--config", str(path), "--workspace", str(tmp_path)], _root(path), tmp_path)
    assert job.config.name == path.stem
    for point in grid_points(job.grid):
        job.method_for("screw", point)


@pytest.mark.parametrize("path", JOB_FILES, ids=lambda path: path.name)
def test_every_job_file_begins_with_a_line_that_says_what_it_is(path: Path) -> None:
    assert path.read_text().startswith("# ")
    assert f"--config {path}: " in describe_job_files(Path("/nowhere"))


def test_the_papers_grid_is_the_one_decided() -> None:
    path = REPOSITORY / "jobs" / "paper-grid.yaml"
    job = read_job(["--config", str(path)], _root(path), Path("/"))
    assert {a.name: a.values for a in job.grid} == {
        "optimizer.lr": ((0.01,), (0.02,), (0.04,), (0.08,)),
        "loss.focal_gamma": ((2.0,), (3.0,), (4.0,), (5.0,)),
        "loss.l1_weight,loss.focal_weight": ((0.4, 0.6), (0.5, 0.5), (0.6, 0.4)),
        "memory.samples": ((15,), (30,), (70,)),
    }


def test_the_papers_settings_are_the_defaults_that_the_paper_gives() -> None:
    path = REPOSITORY / "jobs" / "paper.yaml"
    job = read_job(["--config", str(path)], _root(path), Path("/"))
    assert job.method_for("tile", {}) == MethodConfig()


def test_help_names_every_setting_with_its_line_in_100_columns() -> None:
    text = help_text()
    assert max(map(len, text.splitlines())) <= 100
    for name in (*known_names(JobConfig), *known_names(MethodConfig)):
        assert f"--{name} " in text
    flat = " ".join(text.split())
    assert "learning rate at the cosine's start (section 4.2) [0.04]" in flat
    assert "--device auto|cpu|cuda" in flat


def test_help_is_asked_for_anywhere() -> None:
    assert wants_help(["--config", "x", "--help"])
    assert wants_help(["-h"])
    assert not wants_help(["--config", "x"])


def _root(path: Path) -> dict[str, str]:
    return {} if path.name == "demo.yaml" else {"MEMSEG_DATA_ROOT": "/images"}
