"""Every sweep command in these folders' texts is one that the sweep would take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from memseg.errors import SettingError
from orchestrator.job.files import REPOSITORY
from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from tests.cluster.validators import load

IN_RAY_JOB = {"RAY_JOB_CONFIG_JSON_ENV_VAR": "{}", "HOME": "/home/ray"}
SWEEP = re.compile(r"python -m orchestrator\.(?:sweep|retrain|reproduce \w+) (--config[^`|\n]*)")
JOB_FILES = {path.name for path in (REPOSITORY / "jobs").glob("*.yaml")}


def _commands(text: str) -> list[tuple[bool, str]]:
    """(whether it is submitted to Ray, its arguments) of each command in a text."""
    joined = re.sub(r" *\\\n\s*", " ", text)
    return [
        ("ray job submit" in line, found[1].strip())
        for line in joined.splitlines()
        for found in [SWEEP.search(line)]
        if found
    ]


def _read(arguments: str, submitted: bool, cwd: Path) -> Job:
    return read_job(shlex.split(arguments), IN_RAY_JOB if submitted else {}, cwd)


def _documented() -> list[tuple[bool, str]]:
    texts = [REPOSITORY / "jobs" / "README.md", REPOSITORY / "cluster" / "README.md"]
    found = [command for path in texts for command in _commands(path.read_text())]
    entrypoint = load("rayjob.yaml")["spec"]["entrypoint"]
    return [*found, *((True, arguments) for _, arguments in _commands(entrypoint))]


@pytest.mark.parametrize(("submitted", "arguments"), _documented())
def test_a_documented_command_is_a_job(submitted: bool, arguments: str, tmp_path: Path) -> None:
    job = _read(arguments, submitted, tmp_path)
    assert job.file is not None
    assert Path(job.file).parent == REPOSITORY / "jobs"


def test_every_job_file_has_a_command_here_and_one_on_a_cluster() -> None:
    commands = _commands((REPOSITORY / "jobs" / "README.md").read_text())
    for submitted in (False, True):
        named = {Path(shlex.split(a)[1]).name for on_ray, a in commands if on_ray is submitted}
        assert named == JOB_FILES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--config jobs/none.yaml --data.root /d --workspace /w", "there is no job file"),
        ("--config jobs/paper.yaml --data.roots /d --workspace /w", "data.roots"),
        ("--config jobs/paper.yaml --data.root /d --workspace w", "is relative"),
        ("--config jobs/demo.yaml", "is relative"),
        ("--config jobs/demo.yaml --workspace s3://bucket/demo", "must be a local folder"),
    ],
)
def test_a_wrong_command_would_be_found(arguments: str, message: str, tmp_path: Path) -> None:
    text = f"    ray job submit --working-dir . -- python -m orchestrator.sweep {arguments}\n"
    ((submitted, found),) = _commands(text)
    with pytest.raises(SettingError, match=message):
        _read(found, submitted, tmp_path)


def test_submissions_upload_the_checkout_and_bring_no_environment_of_their_own() -> None:
    text = re.sub(r" *\\\n\s*", " ", (REPOSITORY / "jobs" / "README.md").read_text())
    submissions = [line for line in text.splitlines() if line.strip().startswith("ray job submit")]
    assert len(submissions) == len(JOB_FILES)
    for line in submissions:
        assert "--working-dir ." in line
        assert "--runtime-env" not in line
