"""Whole sweeps without Ray: from images to tables and registry, and what goes wrong on the way."""

from __future__ import annotations

import functools
import json
import shutil
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from memseg.data.fingerprints import sha256
from memseg.errors import DataError
from memseg.training import loop
from orchestrator.registry.__main__ import main as registry
from orchestrator.results.reduce import reduce_result
from orchestrator.running import roles, trial_run
from orchestrator.sweep import main

Sweep = Callable[..., int]
ONE = ("--data.categories", "[connector]")
"""Where one product line shows it."""


@pytest.fixture
def sweep(small: Sequence[str], product_lines: Path, tmp_path: Path) -> Sweep:
    """Runs a small inline sweep over two product lines; returns its exit code."""

    def run(*arguments: str, root: Path = product_lines, executor: str = "inline") -> int:
        return main([
            "--config", "jobs/paper.yaml",
            "--name", "test",
            "--data.root", str(root),
            "--data.categories", "[brushed_metal,connector]",
            "--workspace", str(tmp_path / "ws"),
            "--executor", executor,
            *small,
            *arguments,
        ])  # fmt: skip

    return run


def tables(workspace: Path) -> pd.DataFrame:
    return pd.read_csv(workspace / "sweeps" / "test" / "auroc.csv").set_index("category")


def results(workspace: Path) -> dict[str, dict[str, Any]]:
    found = (workspace / "trials").glob("*/*/result.json")
    return {f"{p.parts[-3]}/{p.parts[-2]}": json.loads(p.read_text()) for p in found}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_sweep_leaves_tables_a_plan_verified_models_and_only_the_winners_weights(
    sweep: Sweep, tmp_path: Path
) -> None:
    workspace = tmp_path / "ws"
    assert sweep("--grid.optimizer.lr", "[0.02,0.04]") == 0
    table = tables(workspace)
    assert list(table.index) == [
        "brushed_metal", "connector", "mean", "mean_textures", "mean_objects",
    ]  # fmt: skip
    assert list(table["trials_done"][:2]) == [2, 2]
    assert table["image_auroc"]["mean"] == pytest.approx(table["image_auroc"][:2].mean())
    assert "random" in str(table["encoder_weights"]["connector"])
    assert (workspace / "sweeps/test/plan.json").is_file()
    assert len(pd.read_parquet(workspace / "sweeps/test/trials.parquet")) == 4
    for category in ("brushed_metal", "connector"):
        aliases = json.loads((workspace / "registry" / category / "aliases.json").read_text())
        assert (workspace / "registry" / category / "versions" / aliases["champion"]).is_dir()
    assert registry(["verify", "--workspace", str(workspace)]) == 0
    kept = sorted((workspace / "trials").glob("*/*/model.safetensors"))
    assert len(kept) == 2
    assert {p.parts[-3] for p in kept} == {"brushed_metal", "connector"}
    assert not list((workspace / "trials").rglob("step-*"))


def test_the_same_command_again_runs_nothing_and_a_larger_grid_only_what_is_new(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweep() == 0
    before = contents(tmp_path / "ws")

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("a finished trial was run again")

    with monkeypatch.context() as patch:
        patch.setattr(roles, "build_network", never)
        assert sweep() == 0
    assert contents(tmp_path / "ws") == before
    known = results(tmp_path / "ws")
    assert sweep("--grid.optimizer.lr", "[0.04,0.08]") == 0
    after = results(tmp_path / "ws")
    assert len(after) == 4
    assert {key: after[key] for key in known} == known


def test_a_broken_image_fails_its_category_alone(
    sweep: Sweep, tmp_path: Path, product_lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "lines"
    shutil.copytree(product_lines, root)
    broken = sorted((root / "connector" / "train" / "good").iterdir())[0]
    broken.write_bytes(b"\x00\x01" * 500)
    assert sweep(root=root) == 1
    assert broken.name in capsys.readouterr().out
    table = tables(tmp_path / "ws")
    assert table["trials_done"]["connector"] == 0
    assert table["trials_done"]["brushed_metal"] == 1
    markdown = (tmp_path / "ws" / "sweeps" / "test" / "auroc.md").read_text()
    assert "1 of 2" in markdown
    assert broken.name in markdown


def test_a_mended_image_is_all_it_takes_to_go_on(
    sweep: Sweep, tmp_path: Path, product_lines: Path
) -> None:
    root = tmp_path / "lines"
    shutil.copytree(product_lines, root)
    broken = sorted((root / "connector" / "train" / "good").iterdir())[0]
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    assert sweep(*ONE, root=root) == 1
    broken.write_bytes(whole)
    assert sweep(*ONE, root=root) == 0
    assert tables(tmp_path / "ws")["trials_done"]["connector"] == 1


def killed_at(call: int) -> Callable[..., Any]:
    """A training step whose so many-th call is Ctrl-C; the others, also later ones, are real."""
    real, calls = loop.train_step, []

    def step(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*args)

    return step


def test_an_interrupted_trial_goes_on_and_ends_in_the_same_bits(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweep(*ONE) == 0
    whole = results(tmp_path / "ws")
    shutil.rmtree(tmp_path / "ws")
    monkeypatch.setattr(loop, "train_step", killed_at(4))
    assert sweep(*ONE, "--checkpoint_every_steps", "2") == 130
    assert not results(tmp_path / "ws")
    assert list((tmp_path / "ws" / "trials").rglob("step-*"))
    assert sweep(*ONE, "--checkpoint_every_steps", "2") == 0
    resumed = results(tmp_path / "ws")
    assert resumed.keys() == whole.keys()
    assert [r["seconds"]["resumed_at_step"] for r in resumed.values()] == [2]
    for key, result in whole.items():
        for name in ("metrics", "synthetic", "weights_sha256"):
            assert resumed[key][name] == result[name], (key, name)


def test_a_bug_is_recorded_with_its_traceback_and_tried_again_next_time(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = roles.build_network

    def broken(*args: Any) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(roles, "build_network", broken)
    assert sweep(*ONE) == 1
    failures = list((tmp_path / "ws" / "trials").rglob("failure.json"))
    failure = json.loads(failures[0].read_text())
    assert (failure["kind"], failure["message"]) == ("bug", "a bug")
    assert "ZeroDivisionError" in failure["traceback"]
    monkeypatch.setattr(roles, "build_network", real)
    assert sweep(*ONE) == 0
    assert not list((tmp_path / "ws" / "trials").rglob("failure.json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--training.max_step", "3"], "did you mean 'training.max_steps'"),
        (["--grid.optimizer.lr", "[0.02,-1]"], "optimizer.lr must be above 0"),
        (["--data.categories", "['..']"], ".."),
        (["--data.root", "/nowhere/at/all"], "/nowhere/at/all"),
        (["--encoder_weights", "/nowhere/weights.pth"], "/nowhere/weights.pth"),
        (["--textures", "/nowhere/textures"], "/nowhere/textures"),
        (["--config", "jobs/none.yaml"], "none.yaml"),
    ],
)
def test_a_wrong_command_is_one_message_and_starts_nothing(
    sweep: Sweep,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert sweep(*arguments) == 2
    shown = "".join(capsys.readouterr().err.split())
    assert "".join(message.split()) in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "ws" / "trials").exists()


def test_weights_of_another_network_start_nothing(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"conv1.weight": torch.zeros(8, 3, 3, 3)}, file)
    assert sweep("--encoder_weights", str(file)) == 2
    shown = "".join(capsys.readouterr().err.split())
    assert "other.safetensors" in shown
    assert "doesnotfitaResNet18" in shown
    assert not (tmp_path / "ws" / "trials").exists()


def test_a_test_set_with_one_class_is_not_defined_and_says_why(
    sweep: Sweep, tmp_path: Path, product_lines: Path
) -> None:
    root = tmp_path / "lines"
    shutil.copytree(product_lines, root)
    shutil.rmtree(root / "connector" / "test" / "good")
    assert sweep(*ONE, root=root) == 0
    table = tables(tmp_path / "ws")
    assert pd.isna(table["image_auroc"]["connector"])
    assert table["trials_done"]["connector"] == 1
    markdown = (tmp_path / "ws" / "sweeps" / "test" / "auroc.md").read_text()
    assert "no normal test image" in markdown


def test_a_workspace_that_is_a_file_is_said(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ws").write_text("a file")
    assert sweep() == 2
    assert "isafile" in "".join(capsys.readouterr().err.split())


def test_without_arguments_and_data_root_the_job_files_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MEMSEG_DATA_ROOT", raising=False)
    assert main([]) == 2
    shown = capsys.readouterr().err
    for name in ("demo.yaml", "paper.yaml", "best.yaml", "paper-grid.yaml"):
        assert name in shown


def test_a_dry_run_starts_nothing(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep("--grid.optimizer.lr", "[0.02,0.04]", "--dry_run") == 0
    assert "nothing was started" in capsys.readouterr().out
    assert not (tmp_path / "ws" / "trials").exists()
    assert not (tmp_path / "ws" / "sweeps").exists()


def statuses(workspace: Path) -> list[str]:
    return sorted(pd.read_csv(workspace / "sweeps" / "test" / "trials.csv")["status"])


def test_trials_that_do_worse_are_stopped_early_and_can_go_on_later(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which of the three are better does not matter here."""
    grid = ["--grid.optimizer.lr", "[0.01,0.02,0.04]", *ONE, "--keep_weights", "all"]
    halving = ["--scheduler", "successive_halving", "--halving.reduction", "2",
               "--halving.rungs", "1"]  # fmt: skip
    assert sweep(*grid, *halving) == 0
    shown = " ".join(capsys.readouterr().out.split())
    workspace = tmp_path / "ws"
    pruned = [json.loads(path.read_text()) for path in workspace.rglob("pruned.json")]
    assert 1 <= len(pruned) <= 2
    assert {one["step"] for one in pruned} == {2}
    assert f"{len(pruned)} of 3 trials were stopped early" in shown
    assert "INCOMPLETE" not in shown
    assert statuses(workspace) == ["done"] * (3 - len(pruned)) + ["pruned"] * len(pruned)
    before = contents(workspace / "trials")
    assert sweep(*grid, *halving) == 0
    assert contents(workspace / "trials") == before
    assert sweep(*grid) == 0
    assert statuses(workspace) == ["done"] * 3
    assert not list(workspace.rglob("pruned.json"))
    gone_on = {key: result["weights_sha256"] for key, result in results(workspace).items()}
    assert sweep(*grid, "--workspace", str(tmp_path / "whole")) == 0
    whole = {key: r["weights_sha256"] for key, r in results(tmp_path / "whole").items()}
    assert gone_on == whole


def test_several_workers_need_ray_and_a_batch_that_can_be_shared(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = ("--training.batch_size", "4")
    assert sweep("--resources.workers_per_trial", "2", *batch) == 2
    assert "needs executor ray" in capsys.readouterr().err
    assert sweep("--resources.workers_per_trial", "3", *batch, executor="ray") == 2
    assert "3 workers cannot share equally" in " ".join(capsys.readouterr().err.split())


def test_the_step_that_is_best_on_validation_can_be_reported(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted and gone on, with scores that make its first judged step the best."""
    scores = iter([0.9, 0.5])
    monkeypatch.setattr(trial_run, "on_validation", lambda *_: functools.partial(next, scores))
    chosen = (*ONE, "--training.reported_step", "validation", "--training.judged_every", "2",
              "--checkpoint_every_steps", "3")  # fmt: skip
    pack, packed = trial_run.pack_weights, []

    def noted(network: Any) -> bytes:
        packed.append(pack(network))
        return packed[-1]

    monkeypatch.setattr(trial_run, "pack_weights", noted)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", killed_at(4))
        assert sweep(*chosen) == 130
    assert sweep(*chosen) == 0
    (result,) = results(tmp_path / "ws").values()
    assert result["seconds"]["resumed_at_step"] == 3
    assert result["reported_step"] == {
        "step": 2, "by": "validation", "scores": {"2": 0.9, "4": 0.5},
    }  # fmt: skip
    assert not list((tmp_path / "ws" / "trials").rglob("best-*"))
    (weights,) = (tmp_path / "ws" / "trials").rglob("model.safetensors")
    assert sha256(weights.read_bytes()) == result["weights_sha256"]
    of_step_2, reported = packed
    assert of_step_2 == reported == weights.read_bytes()
    markdown = (tmp_path / "ws/sweeps/test/auroc.md").read_text()
    assert "the best on synthetic validation, not chosen by the test set" in markdown
    (card,) = (tmp_path / "ws/registry").rglob("MODEL_CARD.md")
    assert "reported step: 2, the best of 2 on synthetic validation" in card.read_text()
    # The last step's weights are others.
    assert sweep(*ONE) == 0
    sums = {r["weights_sha256"] for r in results(tmp_path / "ws").values()}
    assert len(sums) == 2


def test_a_step_that_the_test_set_chose_is_an_oracle_wherever_it_is_shown(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = (*ONE, "--training.reported_step", "test", "--training.judged_every", "2")
    assert sweep(*chosen, "--dry_run") == 0
    assert "TEST SET: an ORACLE" in " ".join(capsys.readouterr().out.split())
    assert sweep(*chosen) == 0
    assert "TEST SET: an ORACLE" in " ".join(capsys.readouterr().out.split())
    (result,) = results(tmp_path / "ws").values()
    found = result["reported_step"]
    best = statistics.fmean(result["metrics"][name] for name in ("image_auroc", "pixel_auroc"))
    assert found["scores"][str(found["step"])] == max(found["scores"].values())
    assert max(found["scores"].values()) == pytest.approx(best, abs=1e-6)
    assert "an ORACLE" in (tmp_path / "ws/sweeps/test/auroc.md").read_text()
    assert ", oracle step" in (tmp_path / "ws/sweeps/test/auroc.csv").read_text()
    (card,) = (tmp_path / "ws/registry").rglob("MODEL_CARD.md")
    assert "**ORACLE STEP: its step was chosen by the test set" in card.read_text()
    assert "ORACLE SELECTION" not in card.read_text()
    assert registry(["list", "--workspace", str(tmp_path / "ws")]) == 0
    assert "oracle step" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(DataError, match="chosen by the test set"):
        reduce_result(result)
