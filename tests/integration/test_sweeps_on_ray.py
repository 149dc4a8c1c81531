"""Whole sweeps on a real Ray, which the tests of this file share."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from memseg.errors import StorageDownError
from memseg.storage import open_folder
from memseg.training.intervals import Intervals
from orchestrator.registry.__main__ import main as registry
from orchestrator.registry.registry import Registry
from orchestrator.retrain.__main__ import main as retrain
from orchestrator.running import events
from orchestrator.running import execute as execute_room
from orchestrator.running.events import Event
from orchestrator.sweep import main
from tests.faults.harness import train_workers

pytestmark = [pytest.mark.ray, pytest.mark.timeout(500)]

Sweep = Callable[..., int]
TWO = ("--resources.workers_per_trial", "2", "--training.batch_size", "4")


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[None]:
    """A Ray of its own on loopback with two CPUs."""
    from orchestrator.running.ray_executor import ray_session

    with ray_session(None):
        yield


@pytest.fixture
def sweep(small: Sequence[str], product_lines: Path, tmp_path: Path, ray_cluster: None) -> Sweep:
    """Runs a small sweep; returns its exit code."""

    def run(executor: str, *arguments: str) -> int:
        return main([
            "--config", "jobs/paper.yaml",
            "--name", "test",
            "--data.root", str(product_lines),
            "--data.categories", "[brushed_metal,connector]",
            "--workspace", str(tmp_path / executor),
            "--executor", executor,
            *small,
            *arguments,
        ])  # fmt: skip

    return run


def results(workspace: Path) -> dict[str, dict[str, Any]]:
    found = (workspace / "trials").glob("*/*/result.json")
    return {f"{p.parts[-3]}/{p.parts[-2]}": json.loads(p.read_text()) for p in found}


def assert_same_numbers(one: Path, other: Path) -> None:
    first, second = results(one), results(other)
    assert first
    assert first.keys() == second.keys()
    for key, result in first.items():
        for name in ("metrics", "synthetic", "weights_sha256", "memory_samples"):
            assert result[name] == second[key][name], (key, name)


def test_ray_equals_inline_bit_for_bit_also_when_a_worker_is_killed(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One category's worker is killed, and its trial goes on from its checkpoint."""
    settings = ("--per_category.connector.training.max_steps", "20",
                "--checkpoint_every_steps", "5")  # fmt: skip
    monkeypatch.setattr(execute_room, "Intervals", functools.partial(Intervals, report_steps=5))
    killed: list[int] = []
    notes: list[str] = []

    class KillsOnce(execute_room.SweepView):
        def __call__(self, event: Event) -> None:
            super().__call__(event)
            if event.kind == events.NOTE:
                notes.append(event.text)
            # At step 5 it is told before the checkpoint is there.
            at_work = (event.kind, event.category) == (events.PROGRESS, "connector")
            if at_work and event.step >= 10 and not killed:
                killed.extend(worker.pid for worker in train_workers(os.getpid()))
                for pid in killed:
                    os.kill(pid, signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(execute_room, "SweepView", KillsOnce)
        assert sweep("ray", *settings) == 0
    assert killed
    assert any("goes on from step" in note for note in notes)
    assert sweep("inline", *settings) == 0
    assert_same_numbers(tmp_path / "ray", tmp_path / "inline")
    for name in ("auroc.csv", "auroc.md", "auroc.parquet", "plan.json"):
        one, other = (tmp_path / e / "sweeps" / "test" / name for e in ("ray", "inline"))
        assert one.read_bytes() == other.read_bytes(), name
    assert registry(["verify", "--workspace", str(tmp_path / "ray")]) == 0


def the_result(workspace: Path, category: str) -> tuple[dict[str, Any], Path]:
    """Of the category's only trial, and the trial's folder."""
    (path,) = (workspace / "trials" / category).glob("*/result.json")
    result: dict[str, Any] = json.loads(path.read_text())
    return result, path.parent


def test_two_workers_give_the_model_of_one_and_a_failure_keeps_its_kind(
    sweep: Sweep, tmp_path: Path
) -> None:
    """A foreground that is empty is found by the workers only, not by the plan."""
    code = sweep(
        "ray", *TWO,
        "--per_category.connector.foreground.mode", "threshold",
        "--per_category.connector.foreground.polarity", "dark",
        "--per_category.connector.foreground.threshold", "0",
    )  # fmt: skip
    assert code == 1
    (failed,) = (tmp_path / "ray" / "trials").rglob("failure.json")
    failure = json.loads(failed.read_text())
    assert (failure["category"], failure["kind"], failure["attempts"]) == ("connector", "data", 1)
    assert sweep("inline", "--data.categories", "[brushed_metal]", *TWO[2:]) == 0
    two, two_folder = the_result(tmp_path / "ray", "brushed_metal")
    one, one_folder = the_result(tmp_path / "inline", "brushed_metal")
    assert two["hardware"]["workers"] == 2
    assert "workers" not in one["hardware"]
    for name in ("key", "memory_samples", "held_out", "training_images", "steps"):
        assert one[name] == two[name]
    weights, others = (load_file(f / "model.safetensors") for f in (one_folder, two_folder))
    assert weights.keys() == others.keys()
    # In float32 sums of another order; that they agree to 1e-8 in float64 is shown without Ray.
    # Biases before a norm stay at nothing but rounding: their size is no measure.
    for name, value in weights.items():
        gap, size = (others[name].double() - value).norm(), value.double().norm()
        assert gap <= max(0.1 * size, 1e-5), name


def test_a_changed_line_starts_from_its_champion_in_a_worker_and_is_judged_in_a_task(
    small: Sequence[str], product_lines: Path, tmp_path: Path, ray_cluster: None
) -> None:
    line = tmp_path / "lines" / "connector"
    shutil.copytree(product_lines / "connector", line)

    def run(executor: str, workspace: Path) -> Registry:
        assert retrain([
            "--config", "jobs/retrain.yaml", "--data.root", str(line.parent),
            "--workspace", str(workspace), "--executor", executor, "--warm_start", "true",
            "--tolerance", "1", "--memory.most_share", "1.0", "--validation.turned", "1", *small,
        ]) == 0  # fmt: skip
        return Registry(open_folder(workspace / "registry"))

    first = run("inline", tmp_path / "inline").champion("connector")
    (line / "train" / "good" / "001.png").unlink()
    shutil.copytree(tmp_path / "inline", tmp_path / "ray")
    found = {}
    for executor in ("ray", "inline"):
        registry_there = run(executor, tmp_path / executor)
        warm = registry_there.champion("connector")
        assert warm.read_json("provenance.json")["warm_start"]["version"] == first.id
        *_, change = registry_there.history("connector")
        assert change.evidence is not None
        found[executor] = (warm.id, warm.manifest.files["model.safetensors"], change.evidence)
    assert found["ray"] == found["inline"]


@pytest.mark.long
def test_when_one_of_two_workers_is_killed_the_trial_goes_on(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    notes: list[str] = []

    class KillsOne(execute_room.SweepView):
        def __call__(self, event: Event) -> None:
            super().__call__(event)
            if event.kind == events.NOTE:
                notes.append(event.text)
            if event.kind == events.PROGRESS and not killed:
                killed.append(train_workers(os.getpid())[-1].pid)
                os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(execute_room, "SweepView", KillsOne)
    steps = ("--training.max_steps", "45", "--checkpoint_every_steps", "5")
    assert sweep("ray", "--data.categories", "[connector]", *TWO, *steps) == 0
    assert killed
    assert any("goes on from step" in note for note in notes)
    result, _ = the_result(tmp_path / "ray", "connector")
    assert (result["steps"], result["hardware"]["workers"]) == (45, 2)


def test_a_workspace_that_is_gone_ends_the_sweep_and_starts_no_further_trial(
    sweep: Sweep,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from orchestrator.running import ray_callback

    def gone(*arguments: Any) -> Event:
        raise StorageDownError("cannot write trials: No space left on device")

    monkeypatch.setattr(ray_callback, "outcome_event", gone)
    assert sweep("ray", "--resources.max_concurrent", "1") == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "stopped: cannot write trials: No space left on device finished trials are kept" in said
    assert "Traceback" not in said
    assert len(results(tmp_path / "ray")) == 1
    monkeypatch.undo()
    assert sweep("ray") == 0
    assert len(results(tmp_path / "ray")) == 2


def test_an_interrupted_sweep_says_so_and_names_no_champion(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test of the file: what it leaves running ends with the cluster."""

    class Interrupted(execute_room.SweepView):
        def __call__(self, event: Event) -> None:
            super().__call__(event)
            if event.kind == events.STARTED:
                raise KeyboardInterrupt

    monkeypatch.setattr(execute_room, "SweepView", Interrupted)
    assert sweep("ray") == 130
    assert not (tmp_path / "ray" / "registry").exists()
    assert not (tmp_path / "ray" / "sweeps" / "test" / "auroc.md").exists()
