"""What a version says about itself."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import memseg
from memseg.config import MethodConfig, build
from memseg.errors import RegistryError
from orchestrator.registry.bundle import DEVIATION, MEAN, version_files
from orchestrator.registry.card import render_card
from orchestrator.registry.curve import draw_curve, parse_curve

Result = Callable[..., dict[str, Any]]


def test_a_trial_always_gives_the_same_bytes(result_of: Result, weights: bytes) -> None:
    assert version_files(result_of(), weights, "synthetic") == version_files(
        json.loads(json.dumps(result_of())), weights, "synthetic"
    )


def test_the_configuration_can_be_built_again(result_of: Result, weights: bytes) -> None:
    files = version_files(result_of(), weights, "synthetic")
    assert build(MethodConfig, json.loads(files["config.json"])["settings"]) == MethodConfig()


def test_provenance_names_everything_it_came_from(result_of: Result, weights: bytes) -> None:
    result = result_of()
    found = json.loads(version_files(result, weights, "oracle")["provenance.json"])
    assert found["trial"] == result["key"]
    assert found["selection"] == "oracle"
    for name in ("inputs", "memory_samples", "packages", "hardware", "seconds", "git_commit",
                 "encoder_weights", "grid"):  # fmt: skip
        assert found[name] == result[name], name


def test_thresholds_say_where_they_come_from_and_why_one_is_missing(
    result_of: Result, weights: bytes
) -> None:
    metrics = {**result_of()["metrics"], "pixel_threshold": None}
    result = result_of(metrics=metrics, undefined={"pixel_threshold": "no ground-truth masks"})
    found = json.loads(version_files(result, weights, "synthetic")["thresholds.json"])
    assert found["image_threshold"] == 0.31
    assert found["pixel_threshold"] is None
    assert found["undefined"] == {"pixel_threshold": "no ground-truth masks"}
    assert "test set" in found["chosen_for"]


CHOSEN = {
    "policies": {
        "false_positive_rate": {"image": {"threshold": 0.51}, "pixel": {"threshold": 0.62}},
        "best_f1_synthetic": {"image": {"threshold": 0.4}, "pixel": {"threshold": 0.45}},
    },
    "absent": {},
    "default": {"image": "false_positive_rate", "pixel": "best_f1_synthetic"},
    "held_out": 20,
}  # fmt: skip


def test_thresholds_that_were_chosen_without_test_labels_are_published(
    result_of: Result, weights: bytes
) -> None:
    files = version_files(result_of(thresholds=CHOSEN), weights, "synthetic")
    found = json.loads(files["thresholds.json"])
    assert found["without_test_labels"] == CHOSEN
    assert found["image_threshold"] == 0.31
    assert "test set's" in found["note"]
    card = " ".join(files["MODEL_CARD.md"].decode().split())
    assert "(image 0.51 by false_positive_rate, pixel 0.45 by best_f1_synthetic)" in card


def test_a_result_of_an_earlier_program_is_published_and_says_what_it_lacks(
    result_of: Result, weights: bytes
) -> None:
    files = version_files(result_of(), weights, "synthetic")
    found = json.loads(files["thresholds.json"])
    assert found["without_test_labels"] is None
    assert "before thresholds were chosen without test labels" in found["note"]
    assert "choose your own" in files["MODEL_CARD.md"].decode()


def test_a_result_without_held_out_images_has_no_default(result_of: Result, weights: bytes) -> None:
    nothing = {**CHOSEN, "policies": {}, "default": {"image": None, "pixel": None}, "held_out": 0}
    files = version_files(result_of(thresholds=nothing), weights, "synthetic")
    assert "predictions use (none)" in " ".join(files["MODEL_CARD.md"].decode().split())


def test_weights_that_are_not_the_results_are_not_published(
    result_of: Result, weights: bytes
) -> None:
    with pytest.raises(RegistryError, match="not those its result"):
        version_files(result_of(), weights + b"x", "synthetic")


def test_preprocessing_is_what_the_network_does(result_of: Result, weights: bytes) -> None:
    # Read, not imported: these tests do without torch.
    source = (Path(memseg.__file__).parent / "model" / "backbone.py").read_text()
    constants = re.search(r"^_MEAN, _DEVIATION = (.*)$", source, re.MULTILINE)
    assert constants is not None
    assert ast.literal_eval(constants[1]) == (MEAN, DEVIATION)
    found = json.loads(version_files(result_of(), weights, "synthetic")["preprocessing.json"])
    assert found["size"] == 256
    assert found["mean"] == list(MEAN)


def test_a_plain_card_has_figures_and_no_warning(result_of: Result) -> None:
    card = render_card(result_of(), "synthetic")
    assert "# MemSeg for screw, version aaaa0001" in card
    assert "| image AUROC | 97.50 |\n| pixel AUROC | 90.00 |\n" in card
    assert "> **" not in card
    assert "- optimizer.lr: 0.04\n" in card
    assert "20 trained on, 2 in the\n  memory, 1 held out" in card
    headings = [line for line in card.splitlines() if line.startswith("## ")]
    assert headings == ["## Figures on the test set", "## How it was made", "## Data",
                        "## Intended use", "## Limits", "## How to load it"]  # fmt: skip
    assert all(f"\n\n{heading}\n\n" in card for heading in headings)
    assert "code c0ffee\n\nThe training curve was not kept.\n\nAll settings" in card
    assert "\n\n\n" not in card


@pytest.mark.parametrize(
    ("changed", "selection", "warning"),
    [
        ({"encoder_weights": "random"}, "synthetic", "RANDOM ENCODER WEIGHTS"),
        ({"bottleneck_weights": "random"}, "synthetic", "RANDOM BLOCK 4"),
        ({}, "oracle", "ORACLE SELECTION"),
        ({}, "oracle, oracle step", "ORACLE SELECTION"),
        ({}, "first planned", "NOT CHOSEN"),
        ({}, "first planned, oracle step", "NOT CHOSEN"),
        ({"steps": 200}, "synthetic", "SHORT RUN: 200 steps"),
        ({"metrics": {"image_auroc": 0.9}}, "synthetic", "METRICS MISSING"),
    ],
)
def test_conditions_that_weaken_the_figures_are_said_loudly(
    result_of: Result, changed: dict[str, Any], selection: str, warning: str
) -> None:
    card = render_card(result_of(**changed), selection)
    assert f"\n\n> **{warning}" in card
    assert "**\n\n## Figures" in card


def test_an_undefined_metric_is_said_with_its_reason(result_of: Result) -> None:
    metrics = {**result_of()["metrics"], "aupro": None}
    card = render_card(
        result_of(metrics=metrics, undefined={"aupro": "no ground-truth masks"}), "synthetic"
    )
    assert "| AUPRO | not defined |" in card
    assert "- AUPRO is not defined: no ground-truth masks" in card


CURVE = b"step,loss,l1,focal\n" + b"".join(
    b"%d,%g,0.2,0.01\n" % (20 * n, 1 / n) for n in range(1, 136)
)


def card_of(files: dict[str, bytes]) -> str:
    return files["MODEL_CARD.md"].decode()


def test_the_curve_is_a_table_a_picture_and_all_its_steps(
    result_of: Result, weights: bytes
) -> None:
    files = version_files(result_of(), weights, "synthetic", {"losses.csv": CURVE})
    card = card_of(files)
    assert "| step | loss | L1 | focal |" in card
    assert "| 20 | 1 | 0.2 | 0.01 |" in card
    assert "| 2700 | 0.007407 | 0.2 | 0.01 |" in card
    assert card.count(" | 0.2 | 0.01 |") == 10
    assert "(losses.svg)" in card
    assert "\n\n\n" not in card
    assert files["losses.csv"] == CURVE
    assert ElementTree.fromstring(files["losses.svg"]).tag.endswith("svg")
    again = version_files(result_of(), weights, "synthetic", {"losses.csv": CURVE})
    assert again == files


@pytest.mark.parametrize("data", [b"", b"x", b"step,loss,l1,focal\n1,2\n", b"\xff\xfe",
                                  b"step,loss,l1,focal\n20,nan,1,1\n40,1,1,1\n"])  # fmt: skip
def test_a_file_that_is_no_curve_is_no_curve(
    result_of: Result, weights: bytes, data: bytes
) -> None:
    files = version_files(result_of(), weights, "synthetic", {"losses.csv": data})
    assert "curve was not kept" in card_of(files)
    assert "losses.svg" not in files


def test_a_curve_of_equal_losses_or_two_points_can_be_drawn() -> None:
    points = parse_curve(b"step,loss,l1,focal\n20,0.5,1,1\n40,0.5,1,1\n")
    ElementTree.fromstring(draw_curve(points))


def test_pictures_are_shown_where_they_are(result_of: Result, weights: bytes) -> None:
    pictures = {"examples.png": b"p", "foreground.png": b"q"}
    card = card_of(version_files(result_of(), weights, "synthetic", pictures))
    assert "(examples.png)" in card
    assert "(foreground.png)" in card
    assert ".png" not in card_of(version_files(result_of(), weights, "synthetic"))


def test_settings_that_are_not_the_default_are_named(result_of: Result) -> None:
    settings = {**result_of()["settings"], "loss.l1_weight": 0.5, "optimizer.lr": 0.08}
    card = render_card(result_of(settings=settings, grid={"optimizer.lr": 0.08}), "synthetic")
    assert "- loss.l1_weight: 0.5 (not the default)\n" in card
    assert card.count("optimizer.lr") == 1
    assert "not the default" not in render_card(result_of(), "synthetic")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "not recorded"),
        ({"data_licence": None}, "no licence file found"),
        ({"data_licence": {"file": "license.txt", "first_line": "CC BY"}}, "license.txt: CC BY"),
        ({"data_licence": {"file": "license.txt", "first_line": ""}}, "license.txt: no text"),
    ],
)
def test_the_licence_of_the_images_is_said(
    result_of: Result, changed: dict[str, Any], said: str
) -> None:
    assert f"licence of the images: {said}\n" in render_card(result_of(**changed), "synthetic")
