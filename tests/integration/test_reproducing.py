"""The paper's tables on small drawn product lines, without Ray."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from orchestrator.registry.__main__ import main as registry
from orchestrator.reproduce.__main__ import main
from orchestrator.running import roles
from orchestrator.sweep import main as sweep

Reproduce = Callable[..., int]


@pytest.fixture
def reproduce(small: Sequence[str], product_lines: Path, tmp_path: Path) -> Reproduce:
    """Runs the command inline over one small product line; returns its exit code."""

    def run(*arguments: str, root: Path = product_lines) -> int:
        names = [a for a in arguments if not a.startswith(("-", "["))][:1]
        return main([
            *names,
            "--data.root", str(root),
            "--data.categories", "[connector]",
            "--workspace", str(tmp_path / "ws"),
            "--executor", "inline",
            *small,
            "--training.max_steps", "2",
            *arguments[len(names):],
        ])  # fmt: skip

    return run


def results(workspace: Path) -> dict[str, bytes]:
    return {p.parts[-2]: p.read_bytes() for p in (workspace / "trials").glob("*/*/result.json")}


def never(*args: object, **kwargs: object) -> None:
    raise AssertionError("a finished trial was run again")


def test_table_4_interrupted_and_run_again_repeats_nothing_and_publishes_nothing(
    reproduce: Reproduce,
    small: Sequence[str],
    product_lines: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real, built = roles.build_network, []

    def stopped(*args: Any) -> Any:
        built.append(1)
        if len(built) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(roles, "build_network", stopped)
    assert reproduce("table4") == 130
    workspace = tmp_path / "ws"
    before = results(workspace)
    assert len(before) == 2
    so_far = (workspace / "sweeps/reproduce-table4/table4.md").read_text()
    assert "INCOMPLETE: 2 of 3 trials are done" in so_far
    assert reproduce("table4") == 0
    assert len(built) == 4  # the interrupted one alone
    after = results(workspace)
    assert {key: after[key] for key in before} == before
    assert len(after) == 3

    folder = workspace / "sweeps/reproduce-table4"
    table = pd.read_csv(folder / "table4.csv")
    assert list(table["category"]) == ["average"] * 3 + ["connector"] * 3
    measured = {r["key"]: r["metrics"] for r in map(json.loads, after.values())}
    plan = json.loads((folder / "plan.json").read_text())
    by_loss = {
        (t["settings"]["loss.l1_weight"], t["settings"]["loss.focal_weight"]): t["key"]
        for t in plan["trials"]
    }
    for line, weights in zip(table.itertuples(), ((0.6, 0.0), (0.0, 0.4), (0.6, 0.4))):
        assert line.image_auroc == pytest.approx(measured[by_loss[weights]]["image_auroc"])
    assert "RANDOM ENCODER WEIGHTS" in (folder / "table4.md").read_text()
    assert len(pd.read_parquet(folder / "trials.parquet")) == 3
    assert "Table 4" in capsys.readouterr().out

    assert reproduce("table4", "--dry_run") == 0
    assert "nothing is left to do" in capsys.readouterr().out

    # No model of it is published, nor chosen; a sweep finds the whole method's trial done.
    assert not (workspace / "registry").exists()
    assert registry(["tables", "reproduce-table4", "--workspace", str(workspace)]) == 2
    assert "orchestrator.reproduce" in capsys.readouterr().err
    monkeypatch.setattr(roles, "build_network", never)
    assert reproduce("table1") == 0
    arguments = ["--config", "jobs/reproduce.yaml", "--name", "same", "--executor", "inline",
                 "--data.root", str(product_lines), "--data.categories", "[connector]",
                 "--workspace", str(workspace), *small, "--training.max_steps", "2"]  # fmt: skip
    assert sweep(arguments) == 0
    assert results(workspace) == after


def test_table_2_on_a_small_tree_like_btads(
    reproduce: Reproduce,
    product_lines: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tmp_path / "btad"
    for category, line in (("01", "connector"), ("03", "brushed_metal")):
        made = product_lines / line
        shutil.copytree(made / "train/good", root / category / "train/ok")
        shutil.copytree(made / "test/good", root / category / "test/ok")
        (defect,) = [d for d in (made / "test").iterdir() if d.name != "good"][:1]
        shutil.copytree(defect, root / category / "test/ko")
        masks = root / category / "ground_truth/ko"
        masks.mkdir(parents=True)
        for mask in (made / "ground_truth" / defect.name).iterdir():
            shutil.copy(mask, masks / mask.name.replace("_mask", ""))
    options = ("--data.layout", "btad", "--data.categories", "[]")
    assert reproduce("all", "--dry_run", *options, root=root) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "1 of the 3 categories of BTAD in the paper's tables are missing: 02" in text
    assert "table1, table3, table4," in text
    assert not (tmp_path / "ws/sweeps").exists()
    assert reproduce("table2", *options, root=root) == 0
    table = pd.read_csv(tmp_path / "ws/sweeps/reproduce-table2/table2.csv", dtype={"category": str})
    rows = table.set_index("category")
    assert list(rows.index) == ["01", "03", "average (2)", "the paper, all 3"]
    assert rows["paper_image_auroc"]["03"] == 0.994
    mean = rows.loc["average (2)"]
    assert mean["image_auroc"] == pytest.approx(rows["image_auroc"][:2].mean())
    assert mean["paper_pixel_auroc"] == pytest.approx((0.989 + 0.963) / 2)


def test_a_failed_trial_is_marked_and_the_others_are_shown(
    reproduce: Reproduce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = roles.build_network

    def broken(config: Any, *args: Any) -> Any:
        if config.loss.l1_weight > 0:
            raise ZeroDivisionError("a bug")
        return real(config, *args)

    monkeypatch.setattr(roles, "build_network", broken)
    assert reproduce("table4") == 1
    text = (tmp_path / "ws/sweeps/reproduce-table4/table4.md").read_text()
    assert "INCOMPLETE: 1 of 3 trials are done" in text
    assert "connector, L1: bug: a bug" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tabel4"], "did you mean 'table4'"),
        ([], "before the options"),
        (["table4", "--grid.optimizer.lr", "[0.1]"], "--grid null"),
        (["table4", "--config", "jobs/none.yaml"], "none.yaml"),
    ],
)
def test_a_wrong_command_is_one_message(
    reproduce: Reproduce,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert reproduce(*arguments) == 2
    shown = "".join(capsys.readouterr().err.split())
    assert "".join(message.split()) in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "ws" / "trials").exists()


def test_help_lists_what_can_be_reproduced(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "Table 5: module components" in text
    assert "--training.max_steps" in text
    assert max(map(len, text.splitlines())) <= 100
