"""Measured speeds beside the paper's."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from rich.console import Console

from memseg.timing.report import BatchTimes, SpeedReport
from orchestrator.aggregation.conditions import Condition
from orchestrator.aggregation.rows import NONE
from orchestrator.reproduce.experiments import SPEED
from orchestrator.reproduce.speed import kind_of
from orchestrator.reproduce.speed_table import Timed, speed_output

Make = Callable[..., Any]

REPORT = SpeedReport(
    "tile 1234", "A processor", "cpu", 2, "bf16", 256, {"torch": "2.10"},
    (BatchTimes(1, (0.5, 0.5)), BatchTimes(4, (1.0, 1.0)), BatchTimes(8, ())),
    memory_samples=30, trained_parameters=18_000_000, frozen_parameters=2_800_000,
    flops={"trunk": 3_000_000_000, "decoder": 1_000_000_000},
)  # fmt: skip


def text_of(shown: Any) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(shown)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 100
    return " ".join(text.split())


def test_speeds_stand_beside_the_papers(part_of: Make) -> None:
    made = speed_output(part_of(SPEED, "tile", "wood"), [Timed(REPORT, ("tile", "wood"))], ())
    assert made.complete
    assert made.files["speed.csv"].decode().splitlines()[1:5] == [
        '"tile, wood",30,1,2.0,0.5,0.5,2,measured',
        '"tile, wood",30,4,4.0,1.0,1.0,2,measured',
        '"tile, wood",30,8,,,,0,measured',
        "MemSeg,,,31.34,,,,paper",
    ]
    markdown = made.files["speed.md"].decode()
    assert "| tile, wood | 30 | 4 | 4.00 | 0.2500 | 1.0000 | 1.0000 |" in markdown
    assert "| tile, wood | 30 | 8 | no memory |" in markdown
    paper = ("MemSeg in the paper, NVIDIA RTX 3090", NONE, NONE, "31.34", "0.0319", NONE, NONE)
    assert f"| {' | '.join(paper)} |" in markdown
    content = json.loads(made.files["speed.json"])
    assert content["networks"][0]["categories"] == ["tile", "wood"]
    assert content["published_seconds"]["SPADE"] == 0.339
    shown = text_of(made.shown)
    assert "A processor, 2 threads, bf16, 256 x 256 pixels, torch 2.10" in shown
    assert "GFLOP an image by component: trunk 3.00 (75%), decoder 1.00 (25%)" in shown
    assert "4.00 GFLOP an image; 18,000,000 parameters trained, 2,800,000 frozen" in shown
    assert "MemSeg in the paper" in shown


def test_without_any_network_the_papers_stand_alone(part_of: Make) -> None:
    said = (Condition("MISSING: tile: its weights were not kept", True),)
    made = speed_output(part_of(SPEED, "tile"), [], said)
    assert not made.complete
    assert "MISSING: tile" in text_of(made.shown)
    assert "**MISSING: tile" in made.files["speed.md"].decode()


def test_networks_that_compute_the_same_are_one_kind(part_of: Make) -> None:
    def kinds(*options: str) -> list[Any]:
        part = part_of(SPEED, "bottle", "transistor", options=options)
        return [kind_of(trials[0], 30) for trials in part.trials["all"].values()]

    # A factor and a foreground change no speed; a component and the memory's size do.
    assert kinds()[0] == kinds()[1] == kinds("--training.max_steps", "7")[0]
    assert kinds() != kinds("--model.coordinate_attention", "false")
    assert kinds() != kinds("--difference.smoothing", "1")
    part = part_of(SPEED, "tile")
    (trial,) = part.trials["all"]["tile"]
    assert kind_of(trial, 30) != kind_of(trial, 29)
