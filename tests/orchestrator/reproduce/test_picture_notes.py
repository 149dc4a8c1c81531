"""What stands below a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.reproduce.experiments import FIGURE_3, FIGURE_7
from orchestrator.reproduce.notes import picture_notes, untrained_notes

Make = Callable[..., Any]


def test_a_picture_says_what_its_networks_are(part_of: Make, records_of: Make) -> None:
    options = ("--seeds", "[5, 6]", "--training.max_steps", "300", "--optimizer.lr", "0.01")
    part = part_of(FIGURE_7, "tile", "wood", options=options)
    records = records_of(part, {("all", "tile", 5): (0.9, 0.8), ("focal", "tile", 5): (0.9, 0.8)})
    networks, settings = picture_notes(part, ("tile",), records)
    whole, focal = (part.trials[row]["tile"][0] for row in ("all", "focal"))
    assert f"tile {focal.key[:8]} (focal), tile {whole.key[:8]} (all); steps 300" in networks
    assert "reported step: the last" in networks
    assert "steps 300 (the paper trains 2700)" in networks
    assert "seeds 5, preset paper" in networks
    assert "encoder weights sha256:resnet" in networks
    assert "wood" not in networks
    assert "optimizer.lr 0.01 (there 0.04)" in settings


def test_hashes_are_shortened_and_random_weights_are_loud(
    part_of: Make, job_of: Make, inventory_of: Make
) -> None:
    from dataclasses import replace

    from orchestrator.reproduce.programme import make_part

    inventory = replace(
        inventory_of("tile"), textures="sha256:" + "ab" * 32, encoder_weights="random"
    )
    part = make_part(job_of(), inventory, "fp32", FIGURE_7)
    networks, _ = picture_notes(part, ("tile",), {})
    assert "(sha256:abababababab)" in networks
    assert "RANDOM ENCODER WEIGHTS" in networks


def test_without_a_network_only_the_settings_are_told(part_of: Make) -> None:
    options = ("--simulation.texture_share", "0.2", "--optimizer.lr", "0.01")
    part = part_of(FIGURE_3, "tile", options=options)
    assert part.plan.trials == ()
    (text,) = untrained_notes(part, "tile")
    assert text.startswith("Preset paper, seed 0; textures 5640 images (sha256:dtd); not as in")
    assert text.endswith("not as in preset paper: simulation.texture_share 0.2 (there 0.5).")
