"""Networks and images that pictures are made from, where they are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memseg.data.product import Product
from memseg.errors import DataError, SettingError, WeightsError
from memseg.storage import open_folder
from orchestrator.ledger.ledger import Done, Failed, Ledger
from orchestrator.reproduce.drawing import draw_attention
from orchestrator.reproduce.experiment import Finished
from orchestrator.reproduce.experiments import FIGURE_9
from orchestrator.reproduce.gathering import NothingToShowError
from orchestrator.reproduce.opening import (
    normal_test_images,
    of_each_defect,
    open_network,
    training_images,
)
from orchestrator.running.roles import trial_roles

Make = Callable[..., Any]

TESTED = Product(
    "tile", np.zeros((1, 3, 8, 8), np.uint8), ("train/good/0.png",), ("a",),
    np.arange(5 * 3 * 8 * 8).astype(np.uint8).reshape(5, 3, 8, 8),
    ("test/crack/1.png", "test/crack/2.png", "test/good/0.png", "test/good/1.png",
     "test/bent/0.png"),
    ("crack", "crack", "good", "good", "bent"), np.array([True, True, False, False, True]),
    np.zeros((5, 8, 8), bool), "train", "test",
)  # fmt: skip


def test_of_each_type_of_defect_the_first_is_shown() -> None:
    assert of_each_defect(TESTED, 40) == [4, 0]
    assert of_each_defect(TESTED, 1) == [4]  # more types than a picture has room for
    normal = replace(TESTED, test_labels=np.zeros(5, bool))
    with pytest.raises(NothingToShowError, match="no anomalous test image"):
        of_each_defect(normal, 40)


def test_normal_test_images_are_asked_for_by_number() -> None:
    assert np.array_equal(normal_test_images(TESTED, 2), TESTED.test[2:4])
    with pytest.raises(NothingToShowError, match="2 normal test images, 3 are needed"):
        normal_test_images(TESTED, 3)


def test_a_network_that_is_not_there_is_named_with_what_to_do(
    part_of: Make, job_of: Make, tmp_path: Path
) -> None:
    part = part_of(FIGURE_9, "tile")
    (trial,) = part.trials["all"]["tile"]
    ledger = Ledger(open_folder(tmp_path))

    def opening(records: Any) -> Any:
        return open_network(Finished(part, records, job_of(), ledger), trial, "all")

    with pytest.raises(DataError, match=rf"trial {trial.key} \(all, seed 0\) is not done"):
        opening({})
    with pytest.raises(DataError, match=r"seed 0\) failed: no memory"):
        opening({trial.key: Failed({"message": "no memory"})})
    with pytest.raises(WeightsError, match=r"were not kept .* delete .*/result\.json and run"):
        opening({trial.key: Done({})})


def test_figure_9_needs_a_memory(part_of: Make, job_of: Make, tmp_path: Path) -> None:
    part = part_of(FIGURE_9, "tile", options=("--model.memory", "false"))
    finished = Finished(part, {}, job_of(), Ledger(open_folder(tmp_path)))
    with pytest.raises(SettingError, match=r"model\.memory is off"):
        draw_attention(finished, {row: found["tile"] for row, found in part.trials.items()})


def test_training_images_are_those_of_the_record(
    part_of: Make, job_of: Make, tmp_path: Path
) -> None:
    part = part_of(FIGURE_9, "tile", options=("--memory.samples", "2"))
    (trial,) = part.trials["all"]["tile"]
    names = tuple(f"train/good/{i:02}.png" for i in range(12))
    product = replace(TESTED, train_names=names, train_hashes=tuple("abcdefghijkl"))
    ledger = Ledger(open_folder(tmp_path))
    before = training_images(Finished(part, {}, job_of(), ledger), trial, product)
    assert before == list(trial_roles(trial, product).training)
    record = Done({"memory_samples": [names[3], names[5]], "held_out": [names[0]]})
    done = Finished(part, {trial.key: record}, job_of(), ledger)
    assert training_images(done, trial, product) == [1, 2, 4, 6, 7, 8, 9, 10, 11]
