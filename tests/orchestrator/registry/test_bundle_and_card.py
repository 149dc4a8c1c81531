"""What a version says about itself."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import memseg
from memseg.config import MethodConfig, build
from memseg.errors import RegistryError
from orchestrator.registry.bundle import DEVIATION, MEAN, version_files
from orchestrator.registry.card import render_card

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
    assert "memory samples: 2, held out: 1, trained on: 20" in card
    headings = [line for line in card.splitlines() if line.startswith("## ")]
    assert headings == ["## Figures on the test set", "## How it was made", "## Intended use",
                        "## Limits", "## How to load it"]  # fmt: skip
    assert all(f"\n\n{heading}\n\n" in card for heading in headings)
    assert "code c0ffee\n\nAll settings" in card
    assert "\n\n\n" not in card


@pytest.mark.parametrize(
    ("changed", "selection", "warning"),
    [
        ({"encoder_weights": "random"}, "synthetic", "RANDOM ENCODER WEIGHTS"),
        ({"bottleneck_weights": "random"}, "synthetic", "RANDOM BLOCK 4"),
        ({}, "oracle", "ORACLE SELECTION"),
        ({}, "first planned", "NOT CHOSEN"),
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
