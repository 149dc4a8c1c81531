"""The method's settings: the paper's defaults, limits and cross-checks of every group."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config import MethodConfig, build, documentation, flatten_config, known_names
from memseg.errors import SettingError

NUMBERS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "image.size": ((64, 256, 1024), (0, 32, 63, 65, 100, 1056, -64)),
    "memory.samples": ((1, 30, 4096), (0, -1, 4097)),
    "memory.most_share": ((0.01, 0.5, 1), (0, -0.1, 1.01)),
    "difference.smoothing": ((1, 3, 5), (0, -1, 2, 4)),
    "difference.factor": ((1e-6, 1, 1000), (0, -1)),
    "difference.feature_factor": ((1e-6, 1, 100), (0, -1)),
    "foreground.threshold": ((0, 128, 255), (-1, 256)),
    "foreground.opening": ((1, 3, 4), (0, -3)),
    "foreground.closing": ((1, 7), (0, -1)),
    "simulation.perlin_exponents": (((0, 0), (0, 5), (6, 6)), ((-1, 5), (0, 7), (5, 0))),
    "simulation.perlin_threshold": ((-0.9999, 0, 0.5, 0.9999), (-1, 1)),
    "simulation.transparency": (((0, 0), (0.15, 1), (1, 1)), ((-0.1, 1), (0, 1.1), (0.9, 0.1))),
    "simulation.texture_share": ((0, 0.5, 1), (-0.01, 1.01)),
    "simulation.structure_grid": (((1, 1), (4, 8), (64, 64)), ((0, 8), (4, 65))),
    "simulation.structure_rotation": ((0, 45, 180), (-1, 181)),
    "simulation.structure_brightness": ((0, 1), (-0.1, 1.1)),
    "simulation.structure_saturation": ((0, 1), (-0.1, 1.1)),
    "simulation.structure_hue": ((0, 0.5), (-0.1, 0.51)),
    "simulation.moved_share": ((0, 0.5, 1), (-0.1, 1.1)),
    "simulation.moved_size": (((0.01, 0.01), (0.1, 0.35), (1, 1)), ((0, 0.3), (0.3, 0.1))),
    "loss.l1_weight": ((0, 0.6, 100), (-0.1,)),
    "loss.focal_weight": ((0, 0.4, 100), (-0.1,)),
    "loss.focal_gamma": ((0, 4), (-1,)),
    "loss.focal_alpha_normal": ((0, 1), (-1,)),
    "loss.focal_alpha_abnormal": ((0, 1.2), (-1,)),
    "optimizer.lr": ((1e-9, 0.04, 10), (0, -0.1, 10.1)),
    "optimizer.momentum": ((0, 0.9, 0.9999), (-0.1, 1)),
    "optimizer.weight_decay": ((0, 3e-5, 1), (-1e-9, 1.1)),
    "optimizer.warmup_steps": ((0, 100, 2699), (-1, 2700)),
    "training.max_steps": ((1, 2700), (0, -1)),
    "training.batch_size": ((2, 8), (0, 1, 3, 7)),
    "training.judged_every": ((1, 100, 10_000), (0, -1)),
    "validation.held_out_share": ((0, 0.1, 0.5), (-0.1, 0.51)),
    "validation.held_out_least": ((1, 6, 32), (0, 33)),
    "validation.held_out_most": ((6, 32, 1000), (0, 5)),
    "validation.anomalies": ((1, 4, 64), (0, 65)),
    "validation.contrast": (((0, 0.1), (1, 1)), ((0, 0), (0.3, 0.1), (-0.1, 0.3), (0.1, 1.1))),
    "validation.shape_size": (((0, 0.1), (0.5, 0.5)), ((0, 0), (0.2, 0.1), (0.1, 0.6))),
    "validation.turned": ((0, 4, 64), (-1, 65)),
    "validation.turned_size": (((0.01, 0.01), (0.08, 0.3), (1, 1)), ((0, 0.3), (0.3, 0.1))),
    "evaluation.top_pixels": ((1, 100, 256 * 256), (0, -1, 256 * 256 + 1)),
    "evaluation.aupro_limit": ((1e-6, 0.3, 1), (0, -0.1, 1.01)),
    "evaluation.false_positive_rate": ((1e-6, 0.05, 0.5), (0, -0.1, 0.51)),
    "evaluation.pixel_false_positive_rate": ((1e-6, 0.001, 0.5), (0, -0.1, 0.51)),
}
"""Values inside and outside of each number's limits, the others at their defaults."""

CHOICES = {
    "memory.selection": ("random", "representative"),
    "difference.distance": ("absolute", "squared"),
    "difference.choice": ("per_level", "joint"),
    "difference.normalisation": ("none", "level", "place"),
    "model.m1_from": ("m2", "m3"),
    "model.attention_mean": ("product", "geometric"),
    "foreground.mode": ("off", "otsu", "auto"),
    "foreground.polarity": ("auto", "bright", "dark"),
    "validation.place": ("anywhere", "product"),
    "optimizer.name": ("sgd", "adamw"),
    "training.precision": ("auto", "fp32", "bf16"),
    "training.reported_step": ("last", "validation", "test"),
}
SWITCHES = (
    "model.memory", "model.multi_scale", "model.spatial_attention", "model.coordinate_attention",
    "training.channels_last",
)  # fmt: skip


def pairs(side: int) -> list[tuple[str, Any]]:
    return [(name, value) for name, sides in NUMBERS.items() for value in sides[side]]


def test_these_tests_know_every_setting() -> None:
    assert {*NUMBERS, *CHOICES, *SWITCHES} == set(known_names(MethodConfig))


def test_every_setting_is_documented_in_one_line() -> None:
    for name, (line, _) in documentation(MethodConfig).items():
        assert line.strip(), name
        assert "\n" not in line, name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image.size", 256),
        ("memory.samples", 30),
        ("difference.smoothing", 3),
        ("simulation.transparency", (0.15, 1.0)),
        ("simulation.texture_share", 0.5),
        ("simulation.structure_grid", (4, 8)),
        ("loss.l1_weight", 0.6),
        ("loss.focal_weight", 0.4),
        ("loss.focal_gamma", 4.0),
        ("optimizer.lr", 0.04),
        ("training.max_steps", 2700),
        ("training.batch_size", 8),
        ("evaluation.top_pixels", 100),
    ],
)
def test_defaults_are_the_papers(name: str, value: Any) -> None:
    assert flatten_config(MethodConfig())[name] == value


@pytest.mark.parametrize(("name", "value"), pairs(0))
def test_values_up_to_the_limits_are_taken(name: str, value: Any) -> None:
    assert flatten_config(build(MethodConfig, {name: value}))[name] == value


@pytest.mark.parametrize(("name", "value"), pairs(1))
def test_values_beyond_the_limits_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(SettingError, match=name.replace(".", r"\.")):
        build(MethodConfig, {name: value})


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_takes_its_values_and_nothing_else(name: str) -> None:
    for value in CHOICES[name]:
        assert flatten_config(build(MethodConfig, {name: value}))[name] == value
    for value in (CHOICES[name][0].upper(), "", None, True, 1, [CHOICES[name][0]]):
        with pytest.raises(SettingError, match=f"{name} must be one of {CHOICES[name][0]}, "):
            build(MethodConfig, {name: value})


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_takes_true_and_false_and_nothing_else(name: str) -> None:
    for value in (True, False, "true", "false"):
        found = flatten_config(build(MethodConfig, {name: value}))[name]
        assert found is (value in (True, "true"))
    for value in (0, 1, "yes", None):
        with pytest.raises(SettingError, match=f"{name} must be true or false"):
            build(MethodConfig, {name: value})


def test_off_as_yaml_reads_it_turns_the_foreground_off() -> None:
    assert build(MethodConfig, {"foreground.mode": False}).foreground.mode == "off"
    assert build(MethodConfig, {"foreground.mode": "off"}).foreground.mode == "off"


# Cross-checks


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        ({"image.size": 240}, "image.size must be a multiple of 32, got 240"),
        ({"difference.smoothing": 2}, "difference.smoothing must be odd, got 2"),
        ({"training.batch_size": 5}, "training.batch_size must be even, got 5"),
        (
            {"foreground.mode": "threshold"},
            "foreground.polarity must be bright or dark with foreground.mode threshold",
        ),
        (
            {"loss.l1_weight": 0, "loss.focal_weight": 0},
            "loss.l1_weight and loss.focal_weight must not both be 0",
        ),
        (
            {"simulation.perlin_exponents": [5, 2]},
            r"simulation.perlin_exponents must go from small to large, got \[5, 2\]",
        ),
        (
            {"validation.contrast": [0.3, 0.1]},
            r"validation.contrast must go from small to large, got \[0.3, 0.1\]",
        ),
        (
            {"validation.held_out_least": 9, "validation.held_out_most": 8},
            r"validation.held_out_least \(9\) must not be above validation.held_out_most \(8\)",
        ),
        (
            {"training.max_steps": 5, "optimizer.warmup_steps": 5},
            r"optimizer.warmup_steps \(5\) must be below training.max_steps \(5\)",
        ),
        (
            {"image.size": 64, "evaluation.top_pixels": 4097},
            r"evaluation.top_pixels \(4097\) must not be above the pixels of an image \(4096\)",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(flat: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        build(MethodConfig, flat)


@pytest.mark.parametrize(
    "flat",
    [
        {"foreground.mode": "threshold", "foreground.polarity": "dark"},
        {"foreground.mode": "otsu", "foreground.polarity": "auto"},
        {"loss.l1_weight": 0},
        {"loss.focal_weight": 0},
        {"validation.held_out_least": 8, "validation.held_out_most": 8},
        {"training.max_steps": 5, "optimizer.warmup_steps": 4},
        {"image.size": 64, "evaluation.top_pixels": 4096},
    ],
    ids=str,
)
def test_settings_that_just_fit_each_other_are_taken(flat: dict[str, Any]) -> None:
    found = flatten_config(build(MethodConfig, flat))
    assert {name: found[name] for name in flat} == flat


# There and back

_BOUND = (
    "image.size", "evaluation.top_pixels", "loss.l1_weight", "validation.held_out_least",
    "optimizer.warmup_steps", "validation.held_out_share",
)  # fmt: skip
"""One of each pair that is checked together: the other is free then."""

_changes = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.sampled_from(inside) for name, (inside, _) in NUMBERS.items()
           if name not in _BOUND},
        **{name: st.sampled_from(values) for name, values in CHOICES.items()},
        **{name: st.booleans() for name in SWITCHES},
    },
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(_changes)
def test_a_configuration_comes_back_from_its_flat_form(changes: dict[str, Any]) -> None:
    config = build(MethodConfig, changes)
    flat = flatten_config(config)
    assert list(flat) == list(known_names(MethodConfig))
    assert build(MethodConfig, flat) == config
    assert {name: flat[name] for name in changes} == changes


@settings(max_examples=30, deadline=None)
@given(_changes)
def test_a_configuration_comes_back_from_json_and_from_text(changes: dict[str, Any]) -> None:
    config = build(MethodConfig, changes)
    flat = json.loads(json.dumps(flatten_config(config)))
    assert build(MethodConfig, flat) == config
    assert build(MethodConfig, {name: as_text(value) for name, value in flat.items()}) == config


def as_text(value: Any) -> Any:
    """As a job file gives it: all scalars are text there."""
    return [as_text(v) for v in value] if isinstance(value, list) else str(value)


def test_the_nearest_name_is_told() -> None:
    with pytest.raises(SettingError, match=r"'loss.focal_gama'; did you mean 'loss.focal_gamma'"):
        build(MethodConfig, {"loss.focal_gama": 2})
