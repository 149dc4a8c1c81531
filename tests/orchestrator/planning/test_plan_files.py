"""plan.json is the same bytes however it is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memseg.storage import open_folder
from orchestrator.job.read import read_job
from orchestrator.planning.inventory import CategoryInventory, Inventory
from orchestrator.planning.plan import Plan, from_json, make_plan
from orchestrator.planning.plan_file import plan_bytes


def plan_of(tmp_path: Path, *argv: str) -> Plan:
    (tmp_path / "line.yaml").write_text("")
    job = read_job(["--config", "line.yaml", "--data.root=/i", *argv], {}, tmp_path)
    names = ("tile", 'a "key": "" [seed]', "Größe \\ ✗", "few")
    categories = tuple(
        CategoryInventory(name, 200, 5, 7, True, "t", "e",
                          tuple(f"{name} {i}" for i in range(9 if name == "few" else 200)))
        for name in names
    )  # fmt: skip
    broken = CategoryInventory("broken", problem='no "normal" image:\n "trials": []')
    return make_plan(job, Inventory((*categories, broken), "procedural:1", 48, "random"), "fp32")


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("--seeds", "[0, 1, 7]"),
        ("--seeds", "[0, 1]", "--grid.optimizer.lr", "[0.02, 0.04]", "--grid.memory.samples",
         "[15, 190]"),
        ("--grid.loss.l1_weight,loss.focal_weight", "[[0.4, 0.6], [0.6, 0.4]]"),
    ],
)  # fmt: skip
def test_a_plan_in_parts_is_the_plan_in_one_piece(tmp_path: Path, argv: tuple[str, ...]) -> None:
    plan = plan_of(tmp_path, *argv)
    open_folder(tmp_path).write_json("plan.json", plan.to_json())
    data = plan_bytes(plan)
    assert data == (tmp_path / "plan.json").read_bytes()
    assert from_json(json.loads(data)).trials == plan.trials


def test_a_plan_read_back_or_without_trials_is_the_same_bytes(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "--seeds", "[0, 1]")
    data = plan_bytes(plan)
    assert plan_bytes(from_json(json.loads(data))) == data
    few = make_plan(
        read_job(["--config", "line.yaml", "--data.root=/i"], {}, tmp_path),
        Inventory((CategoryInventory("few", 3),), "procedural:1", 48, "random"), "fp32",
    )  # fmt: skip
    open_folder(tmp_path).write_json("plan.json", few.to_json())
    assert plan_bytes(few) == (tmp_path / "plan.json").read_bytes()
