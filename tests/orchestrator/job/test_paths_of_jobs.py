"""Relative paths, the environment, and Ray jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from memseg.errors import SettingError
from orchestrator.job.files import DEFAULT
from orchestrator.job.job import Job
from orchestrator.job.read import read_job

RAY_JOB = {"RAY_JOB_CONFIG_JSON_ENV_VAR": "{}", "MEMSEG_DATA_ROOT": "/images"}


def test_relative_paths_are_relative_to_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.yaml").write_text("textures: dtd\nworkspace: ../kept\n")
    argv = ["--config", "jobs/a.yaml", "--data.root", "images", "--encoder_weights", "w.pth"]
    config = read_job(argv, {}, tmp_path).config
    assert config.textures == str(tmp_path / "dtd")
    assert config.workspace == str(tmp_path.parent / "kept")
    assert config.data.root == str(tmp_path / "images")
    assert config.encoder_weights == str(tmp_path / "w.pth")


def test_a_parent_folder_behind_a_link_is_left_to_the_system(tmp_path: Path) -> None:
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "near").symlink_to(tmp_path / "far" / "deep")
    config = _read(["--data.root", "near/../images"], {}, tmp_path).config
    assert config.data.root is not None
    assert Path(config.data.root).resolve() == tmp_path / "far" / "images"


def test_uris_and_names_of_weights_stay_as_they_are(tmp_path: Path) -> None:
    argv = ["--data.root", "s3://images/a", "--workspace", "gs://runs", "--encoder_weights=random"]
    config = _read(argv, {}, tmp_path).config
    assert (config.data.root, config.workspace) == ("s3://images/a", "gs://runs")
    assert config.encoder_weights == "random"


def test_the_home_folder_is_the_environments(tmp_path: Path) -> None:
    config = _read(["--workspace", "~/runs"], {"HOME": "/home/ada"}, tmp_path).config
    assert config.workspace == "/home/ada/runs"


def test_the_environment_names_root_and_workspace_where_nothing_else_does(tmp_path: Path) -> None:
    environ = {"MEMSEG_DATA_ROOT": "/images", "MEMSEG_WORKSPACE": "/kept"}
    config = read_job(["--config", str(_empty(tmp_path))], environ, tmp_path).config
    assert (config.data.root, config.workspace) == ("/images", "/kept")
    argv = ["--data.root", "/other", "--workspace", "/here"]
    config = _read(argv, environ, tmp_path).config
    assert (config.data.root, config.workspace) == ("/other", "/here")


def test_without_a_data_root_a_job_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"data\.root is not set"):
        read_job(["--config", str(_empty(tmp_path))], {}, tmp_path)


def test_the_demo_lies_in_the_workspace_whatever_the_environment_says(tmp_path: Path) -> None:
    argv = ["--config", str(_empty(tmp_path)), "--data.demo", "--workspace", "demo"]
    config = read_job(argv, {"MEMSEG_DATA_ROOT": "/images"}, tmp_path).config
    assert config.data.root == str(tmp_path / "demo" / "demo-data")


def test_without_arguments_it_is_the_papers_grid_on_the_environments_data(tmp_path: Path) -> None:
    job = read_job([], {"MEMSEG_DATA_ROOT": "/images"}, tmp_path)
    assert job.config.name == "paper-grid"
    assert job.config.data.root == "/images"
    assert {a.name for a in job.grid} >= {"optimizer.lr", "memory.samples"}


def test_the_working_directorys_job_files_come_before_the_checkouts(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / DEFAULT).write_text("seeds: [5]\n")
    job = read_job([], {"MEMSEG_DATA_ROOT": "/images"}, tmp_path)
    assert job.config.seeds == (5,)


@pytest.mark.parametrize("argv", [[], ["--dry_run"]])
def test_with_nothing_to_train_on_the_job_files_are_listed(tmp_path: Path, argv: list[str]) -> None:
    with pytest.raises(SettingError) as caught:
        read_job(argv, {}, tmp_path)
    message = str(caught.value)
    assert "MEMSEG_DATA_ROOT" in message
    for line in ("jobs/demo.yaml: Draws its own", "jobs/paper.yaml: The paper's chosen"):
        assert line in message


def test_a_relative_workspace_is_refused_in_a_ray_job(tmp_path: Path) -> None:
    for argv, environ in (
        (["--workspace", "runs"], RAY_JOB),
        ([], {**RAY_JOB, "MEMSEG_WORKSPACE": "runs"}),
        (["--workspace", "runs"], {"RAY_JOB_ID": "1", "MEMSEG_DATA_ROOT": "/images"}),
    ):
        with pytest.raises(SettingError, match="'runs' is relative: a Ray job runs in a temporary"):
            _read(argv, environ, tmp_path)
    for workspace in ("/kept", "s3://kept/here"):
        assert _read(["--workspace", workspace], RAY_JOB, tmp_path).config.workspace == workspace


def test_a_ray_job_without_a_workspace_does_not_use_its_temporary_folder(tmp_path: Path) -> None:
    config = read_job([], {**RAY_JOB, "HOME": "/home/ray"}, tmp_path).config
    assert config.workspace == "/home/ray/memseg-runs"


def _empty(folder: Path) -> Path:
    path = folder / "empty.yaml"
    path.write_text("")
    return path


def _read(argv: list[str], environ: dict[str, str], cwd: Path) -> Job:
    return read_job(["--config", str(_empty(cwd)), "--data.root=/i", *argv], environ, cwd)
