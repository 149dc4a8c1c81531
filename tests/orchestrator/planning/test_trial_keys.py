"""A trial's key: what is in it, and what must never leave it by accident."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from memseg.config import METHOD_VERSION, MethodConfig, build, flatten_config
from orchestrator.planning.trial import Inputs, Trial, from_json

DEFAULTS: dict[str, Any] = {
    "image.size": 256,
    "memory.samples": 30,
    "memory.selection": "random",
    "memory.most_share": 1.0,
    "difference.distance": "absolute",
    "difference.choice": "per_level",
    "difference.smoothing": 3,
    "difference.normalisation": "none",
    "difference.factor": 100.0,
    "difference.feature_factor": 1.0,
    "model.memory": True,
    "model.multi_scale": True,
    "model.spatial_attention": True,
    "model.coordinate_attention": True,
    "model.m1_from": "m2",
    "model.attention_mean": "product",
    "foreground.mode": "off",
    "foreground.threshold": 128,
    "foreground.polarity": "auto",
    "foreground.opening": 3,
    "foreground.closing": 7,
    "simulation.perlin_exponents": (0, 5),
    "simulation.perlin_threshold": 0.5,
    "simulation.transparency": (0.15, 1.0),
    "simulation.texture_share": 0.5,
    "simulation.structure_grid": (4, 8),
    "simulation.structure_rotation": 45.0,
    "simulation.structure_brightness": 0.3,
    "simulation.structure_saturation": 0.3,
    "simulation.structure_hue": 0.1,
    "simulation.moved_share": 0.0,
    "simulation.moved_size": (0.1, 0.35),
    "loss.l1_weight": 0.6,
    "loss.focal_weight": 0.4,
    "loss.focal_gamma": 4.0,
    "loss.focal_alpha_normal": 1.0,
    "loss.focal_alpha_abnormal": 1.2,
    "optimizer.name": "sgd",
    "optimizer.lr": 0.04,
    "optimizer.momentum": 0.9,
    "optimizer.weight_decay": 3e-05,
    "optimizer.warmup_steps": 0,
    "training.max_steps": 2700,
    "training.batch_size": 8,
    "training.precision": "auto",
    "training.channels_last": True,
    "training.reported_step": "last",
    "training.judged_every": 100,
    "validation.held_out_share": 0.1,
    "validation.held_out_least": 6,
    "validation.held_out_most": 32,
    "validation.anomalies": 4,
    "validation.contrast": (0.08, 0.35),
    "validation.shape_size": (0.03, 0.12),
    "validation.turned": 0,
    "validation.turned_size": (0.08, 0.3),
    "validation.place": "anywhere",
    "evaluation.top_pixels": 100,
    "evaluation.aupro_limit": 0.3,
    "evaluation.false_positive_rate": 0.05,
    "evaluation.pixel_false_positive_rate": 0.001,
}
"""Of METHOD_VERSION 2. Keys leave out what has its default, so a setting that is added needs a
default that changes no number, and is added here; a default that changes needs another version."""


def trial(**settings: Any) -> Trial:
    flat = {name.replace("__", "."): value for name, value in settings.items()}
    return Trial("screw", 0, build(MethodConfig, flat), Inputs("a", "b", "c", "d"))


def test_defaults_are_those_recorded_for_this_method_version() -> None:
    assert METHOD_VERSION == 2
    assert flatten_config(MethodConfig()) == DEFAULTS


def test_a_default_that_is_written_out_is_the_same_trial() -> None:
    assert trial(optimizer__lr=0.04, difference__normalisation="none").key == trial().key
    assert trial().key != trial(optimizer__lr=0.08).key


@pytest.mark.parametrize("setting", [
    {"difference__normalisation": "level"}, {"model__attention_mean": "geometric"},
    {"simulation__moved_share": 0.5}, {"simulation__moved_size": (0.1, 0.2)},
    {"validation__held_out_share": 0.2}, {"memory__samples": 31},
    {"memory__most_share": 0.5}, {"foreground__mode": "auto"},
    {"training__precision": "bf16"}, {"model__memory": False},
], ids=str)  # fmt: skip
def test_another_setting_is_another_trial_and_another_training(setting: dict[str, Any]) -> None:
    assert trial(**setting).key != trial().key
    assert trial(**setting).training_key != trial().training_key


@pytest.mark.parametrize("setting", [
    {"evaluation__top_pixels": 50}, {"validation__turned": 4}, {"validation__anomalies": 2},
    {"validation__place": "product"},
    {"evaluation__false_positive_rate": 0.1}, {"evaluation__pixel_false_positive_rate": 0.01},
    {"validation__turned_size": (0.1, 0.2)}, {"validation__contrast": (0.1, 0.2)},
], ids=str)  # fmt: skip
def test_what_only_evaluation_depends_on_is_another_trial_of_the_same_training(
    setting: dict[str, Any],
) -> None:
    other = trial(**setting)
    assert other.key != trial().key
    assert other.training_key == trial().training_key


@pytest.mark.parametrize("way", ["validation", "test"])
def test_where_an_evaluation_chooses_the_weights_another_one_is_another_training(way: str) -> None:
    one = trial(training__reported_step=way)
    turned = trial(training__reported_step=way, validation__turned=4)
    assert turned.training_key != one.training_key
    new_tests = replace(one, inputs=replace(one.inputs, test_fingerprint="new"))
    assert (new_tests.training_key == one.training_key) == (way == "validation")
    assert trial(training__reported_step="last").key == trial().key


def test_keys_of_recorded_trials_stay() -> None:
    """Made before thresholds had settings: a setting that has its default is in no key."""
    assert trial().key == "b68e7184e922dc12a415"
    assert trial(evaluation__top_pixels=50, optimizer__lr=0.08).key == "ce06d1bfdf4e5c1bdfc7"
    assert (
        trial(evaluation__top_pixels=50, optimizer__lr=0.08).training_key == "52ae776c7a41bd1b0d16"
    )


def test_another_start_is_another_trial_and_none_leaves_keys_as_they_were() -> None:
    warm = replace(trial(), inputs=replace(trial().inputs, start="sha256:ab"), start_version="v1")
    other = replace(warm, inputs=replace(warm.inputs, start="sha256:cd"))
    assert len({trial().key, warm.key, other.key}) == 3
    assert len({trial().training_key, warm.training_key, other.training_key}) == 3
    # By content: the same weights under another name are the same start.
    assert replace(warm, start_version="v2").key == warm.key
    assert "start" not in trial().to_json()["inputs"]
    assert "start_version" not in trial().to_json()
    assert from_json(json.loads(json.dumps(warm.to_json()))) == warm
    new_tests = replace(warm, inputs=replace(warm.inputs, test_fingerprint="new"))
    assert new_tests.training_key == warm.training_key


def test_everything_is_written_whatever_the_key_leaves_out() -> None:
    assert set(trial().to_json()["settings"]) == set(DEFAULTS)
