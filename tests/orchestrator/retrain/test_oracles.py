"""Models that the test set chose are not compared on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from memseg.errors import SettingError
from orchestrator.job.read import read_job
from orchestrator.retrain.__main__ import main
from orchestrator.retrain.oracles import refuse_oracles

STEP = "--training.reported_step"


@pytest.mark.parametrize(
    "asked",
    [
        ["--selection", "test"],
        [STEP, "test"],
        ["--per_category.screw.training.reported_step", "test"],
        ["--grid.training.reported_step", "[last, test]"],
    ],
)
def test_a_choice_by_the_test_set_is_refused(asked: Sequence[str], tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"on the test set, and .* would let it choose"):
        refuse_oracles(read_job(["--data.root", str(tmp_path), *asked], {}, tmp_path))


@pytest.mark.parametrize("asked", [[], [STEP, "validation"], ["--grid.optimizer.lr", "[0.1, 0.2]"]])
def test_everything_else_is_not(asked: Sequence[str], tmp_path: Path) -> None:
    refuse_oracles(read_job(["--data.root", str(tmp_path), *asked], {}, tmp_path))


def test_the_command_says_it_before_anything_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    told = ["--data.root", str(tmp_path / "none"), "--workspace", str(tmp_path / "ws")]
    assert main([*told, "--selection", "test"]) == 2
    assert "set selection synthetic" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "ws").exists()
