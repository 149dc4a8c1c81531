"""Where models are judged on a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.job.read import read_job
from orchestrator.running.ray_judging import gpus_to_judge


@pytest.mark.parametrize(
    ("device", "gpus", "asked", "expected"),
    [("cuda", 0, 0, 1.0), ("cuda", 4, 0.5, 0.5), ("auto", 4, 0, 1.0), ("auto", 0, 0, 0.0),
     ("cpu", 4, 1, 0.0)],
)  # fmt: skip
def test_a_gpu_is_asked_for_where_one_is_needed_or_may_come(
    device: str, gpus: int, asked: float, expected: float, tmp_path: Path
) -> None:
    arguments = [
        "--config", "jobs/retrain.yaml", "--data.root", str(tmp_path),
        "--workspace", str(tmp_path), "--resources.gpus_per_trial", str(asked),
    ]  # fmt: skip
    config = read_job(arguments, {}, tmp_path).config
    assert gpus_to_judge(config, device, gpus) == expected
