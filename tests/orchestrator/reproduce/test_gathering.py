"""What is made of each category, and why something is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memseg.errors import DataError, StorageDownError, WeightsError
from memseg.storage import open_folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.reproduce.experiment import Finished
from orchestrator.reproduce.experiments import FIGURE_7
from orchestrator.reproduce.gathering import NothingToShowError, Trials, of_each_category

Make = Callable[..., Any]


@pytest.fixture
def finished(part_of: Make, job_of: Make, tmp_path: Path) -> Finished:
    """Four categories of figure 7, of which one has too few images."""
    part = part_of(FIGURE_7, "tile", "wood", "grid", options=("--seeds", "[3, 4]"))
    return Finished(part, {}, job_of(), Ledger(open_folder(tmp_path)))


def test_what_keeps_a_category_from_being_made_keeps_no_other(finished: Finished) -> None:
    def make(trials: Trials) -> str:
        category = trials["all"][0].category
        if category == "tile":
            raise WeightsError("its weights are gone")
        if category == "wood":
            raise NothingToShowError("it has no test images")
        assert [t.seed for t in trials["focal"]] == [3, 4]
        return f"a picture of {category}"

    made = of_each_category(finished, make)
    assert made.found == {"grid": "a picture of grid"}
    assert made.problems == ("tile: its weights are gone",)
    assert made.left_out == ("wood: it has no test images",)
    assert [(c.text, c.loud) for c in made.conditions()] == [
        ("MISSING: tile: its weights are gone", True),
        ("left out: wood: it has no test images", False),
    ]


def test_a_category_that_lacks_a_row_is_not_asked_for(finished: Finished) -> None:
    trials = {**finished.part.trials, "focal": {}}
    without = Finished(
        type(finished.part)(finished.part.experiment, finished.part.plan, trials),
        {}, finished.job, finished.ledger,
    )  # fmt: skip
    assert of_each_category(without, lambda _: pytest.fail("asked")).found == {}


def test_a_storage_that_is_down_and_a_bug_are_no_problems_of_a_category(
    finished: Finished,
) -> None:
    for error in (StorageDownError("the disk is full"), ZeroDivisionError("a bug")):

        def broken(trials: Trials, error: Exception = error) -> str:
            raise error

        with pytest.raises(type(error)):
            of_each_category(finished, broken)
    assert issubclass(NothingToShowError, DataError)
