"""The best of a run's judged steps, also over a kill."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memseg.config import MethodConfig, build
from memseg.errors import StorageError
from memseg.storage import Folder, open_folder
from orchestrator.running.best_step import BestStep, judged_steps


class Run:
    """A network that is worth what a table says, and weighs its step."""

    def __init__(self, folder: Folder, values: Mapping[int, float]) -> None:
        self.at, self.asked = 0, list[int]()
        self.values = values
        self.judge = BestStep(folder, frozenset(values), self.score, lambda: b"%d" % self.at)

    def score(self) -> float:
        self.asked.append(self.at)
        return self.values[self.at]

    def to(self, *steps: int) -> None:
        for self.at in steps:
            self.judge.look(self.at)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "checkpoints")


def weights(folder: Folder) -> list[str]:
    return [file.path for file in folder.files() if file.path.endswith(".safetensors")]


def test_the_best_is_kept_and_only_it(folder: Folder) -> None:
    run = Run(folder, {10: 0.5, 20: 0.9, 30: 0.7})
    run.to(10, 20, 30)
    assert run.judge.best() == (20, b"20")
    assert run.judge.scores() == {10: 0.5, 20: 0.9, 30: 0.7}
    assert weights(folder) == ["best-00000020.safetensors"]


def test_of_equal_ones_it_is_the_later(folder: Folder) -> None:
    run = Run(folder, {10: 1.0, 20: 1.0})
    run.to(10, 20)
    assert run.judge.best() == (20, b"20")


def test_a_run_that_goes_on_knows_the_steps_before(folder: Folder) -> None:
    Run(folder, {10: 0.9, 20: 0.5}).to(10, 20)
    again = Run(folder, {10: 0.9, 20: 0.5, 30: 0.6})
    again.to(20, 30)  # it goes on from a checkpoint before 20
    assert again.asked == [30]
    assert again.judge.best() == (10, b"10")


def test_what_another_process_has_finished_and_cleared_is_no_whole_run(folder: Folder) -> None:
    run = Run(folder, {10: 0.9, 20: 0.5})
    run.to(10)
    folder.delete("judged-00000010.json")  # as a commit does
    run.to(20)
    with pytest.raises(StorageError, match="has no score of step 10: another process"):
        run.judge.best()


def test_two_processes_at_one_trial_forget_nothing_of_each_other(folder: Folder) -> None:
    values = {10: 0.5, 20: 0.9, 30: 0.7}
    behind = Run(folder, values)

    class Ahead(Run):
        def score(self) -> float:
            if self.at == 20:  # while this one judges step 20, the other does too and goes on
                behind.to(20, 30)
            return super().score()

    ahead = Ahead(folder, values)
    ahead.to(10, 20, 30)
    assert ahead.judge.scores() == behind.judge.scores() == values
    assert ahead.judge.best() == behind.judge.best() == (20, b"20")


def test_killed_between_weights_and_note_the_old_best_stays(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(folder, {10: 0.5, 20: 0.9})
    run.to(10)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            run.to(20)
    assert run.judge.scores() == {10: 0.5}
    assert folder.read("best-00000010.safetensors") == b"10"
    run.to(20)
    assert run.judge.best() == (20, b"20")


@given(st.integers(1, 500), st.integers(1, 500))
def test_the_last_step_is_judged_and_none_after_it(most: int, every: int) -> None:
    config = build(
        MethodConfig, {"training.max_steps": most, "training.judged_every": every}
    ).training
    steps = sorted(judged_steps(config))
    assert steps[-1] == most
    assert all(step % every == 0 for step in steps[:-1])
    assert len(steps) == -(-most // every)
