"""Looks again and again, without a clock of the real world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memseg.data.layouts import LayoutConfig
from memseg.errors import DataError
from memseg.storage import open_folder
from orchestrator.retrain.watch import snapshots, watch


def image(root: Path, line: str, name: str = "0", size: int = 3) -> None:
    path = root / line / "train" / "good" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


class World:
    """What happens between looks; each look is 10 seconds after the one before."""

    def __init__(self, root: Path, *between: Callable[[], object]) -> None:
        self.root, self.between = root, list(between)
        self.now = 0.0
        self.trained: list[tuple[str, ...]] = []
        self.at: list[float] = []
        self.said: list[str] = []
        self.lost: list[tuple[str, ...]] = []

    def train(self, categories: tuple[str, ...]) -> tuple[str, ...]:
        self.trained.append(categories)
        self.at.append(self.now)
        return self.lost.pop(0) if self.lost else ()

    def wait(self, seconds: float) -> bool:
        assert seconds == 10
        self.now += seconds
        if not self.between:
            return True
        self.between.pop(0)()
        return False

    def run(self, still_s: float = 10) -> None:
        watch(
            open_folder(self.root), LayoutConfig(), 10, still_s, self.train, self.said.append,
            self.wait, lambda: self.now,
        )  # fmt: skip


def nothing() -> None:
    """Happens between two looks."""


def test_a_line_is_taken_when_it_holds_still_and_once(tmp_path: Path) -> None:
    image(tmp_path, "screw")
    world = World(tmp_path, lambda: image(tmp_path, "screw", "1"), nothing, nothing, nothing)
    world.run()
    assert world.trained == [("screw",)]


def test_a_half_copied_line_is_not_taken(tmp_path: Path) -> None:
    image(tmp_path, "screw")
    grows = [lambda n=n: image(tmp_path, "screw", str(n)) for n in range(5)]
    world = World(tmp_path, *grows)
    world.run()
    assert world.trained == []


def test_lines_that_settle_together_are_one_batch_and_a_changed_one_comes_again(
    tmp_path: Path,
) -> None:
    image(tmp_path, "screw")
    image(tmp_path, "tile")
    world = World(
        tmp_path, nothing, lambda: image(tmp_path, "tile", "1"), nothing, nothing, nothing
    )
    world.run()
    assert world.trained == [("screw", "tile"), ("tile",)]


def test_what_was_lost_is_tried_again_after_pauses_and_not_what_was_trained(
    tmp_path: Path,
) -> None:
    image(tmp_path, "screw")
    image(tmp_path, "tile")
    world = World(tmp_path, *[nothing] * 9)
    world.lost = [("screw",), ("screw",), ("screw",)]
    world.run()
    # Settled at 10 s; again after 10, 20 and 40 s.
    assert world.trained == [("screw", "tile"), ("screw",), ("screw",), ("screw",)]
    assert world.said == [f"screw: is tried again in {s} s" for s in (10, 20, 40)]
    assert world.now == 100


def test_a_lost_line_that_changes_is_trained_when_it_settles(tmp_path: Path) -> None:
    image(tmp_path, "screw")
    looks = [nothing, nothing, nothing, lambda: image(tmp_path, "screw", "1"), nothing, nothing]
    world = World(tmp_path, *looks)
    world.lost = [("screw",), ("screw",)]
    world.run()
    # At 10, at 20, and at 50 s: at 40 s, when it would have been tried again, it had changed.
    assert world.at == [10, 20, 50]


def test_only_the_named_lines_are_looked_at(tmp_path: Path) -> None:
    image(tmp_path, "screw")
    image(tmp_path, "tile")
    assert list(snapshots(open_folder(tmp_path), LayoutConfig(), ("tile", "gone"))) == ["tile"]
    world = World(tmp_path, nothing, nothing)
    watch(
        open_folder(tmp_path), LayoutConfig(), 10, 10, world.train, world.said.append, world.wait,
        lambda: world.now, only=("tile",),
    )  # fmt: skip
    assert world.trained == [("tile",)]


def test_an_empty_root_waits_and_one_that_is_gone_is_said_once(tmp_path: Path) -> None:
    root, away = tmp_path / "lines", tmp_path / "away"
    root.mkdir()
    world = World(
        root, lambda: root.rename(away), nothing, lambda: away.rename(root),
        lambda: image(root, "screw"), nothing, nothing,
    )  # fmt: skip
    world.run()
    assert len(world.said) == 1
    assert "is gone; looks again every 10 s" in world.said[0]
    assert world.trained == [("screw",)]


def test_an_error_of_a_training_is_said_and_its_batch_is_tried_again(tmp_path: Path) -> None:
    image(tmp_path, "screw")
    world = World(tmp_path, nothing, nothing)

    def fails(categories: tuple[str, ...]) -> tuple[str, ...]:
        world.trained.append(categories)
        raise DataError("no good")

    world.train = fails  # type: ignore[method-assign]
    world.run()
    assert world.trained == [("screw",), ("screw",)]
    assert world.said == [
        "error: no good", "screw: is tried again in 10 s",
        "error: no good", "screw: is tried again in 20 s",
    ]  # fmt: skip


def test_a_bug_is_not_hidden(tmp_path: Path) -> None:
    image(tmp_path, "screw")
    world = World(tmp_path, nothing)
    world.train = lambda categories: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(ZeroDivisionError):
        world.run(still_s=0)


def test_a_signal_in_the_middle_of_a_look_is_the_end_and_one_in_a_training_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> Any:
        raise KeyboardInterrupt

    image(tmp_path, "screw")
    world = World(tmp_path, nothing)
    with monkeypatch.context() as patch:
        patch.setattr("orchestrator.retrain.watch.snapshots", interrupted)
        world.run()
    assert world.now == 0
    world.train = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.run(still_s=0)


def test_a_snapshot_has_path_size_and_time_of_every_file(tmp_path: Path) -> None:
    image(tmp_path, "screw", size=7)
    (found,) = snapshots(open_folder(tmp_path), LayoutConfig())["screw"]
    assert found[0].endswith("train/good/0.png")
    assert found[1] == 7
    assert found[2] > 0
