"""Presets, the categories' own settings, and which layer wins."""

from __future__ import annotations

from typing import Any

import pytest

from memseg.config import OBJECTS, PRESETS, TEXTURES, MethodConfig, flatten_config, presets, resolve
from memseg.config.presets import CATEGORY_SETTINGS, category_layer, preset_layer
from memseg.errors import SettingError

CATEGORIES = (*TEXTURES, *OBJECTS)


def differences(config: MethodConfig) -> dict[str, Any]:
    plain = flatten_config(MethodConfig())
    return {name: v for name, v in flatten_config(config).items() if v != plain[name]}


def test_the_paper_groups_five_textures_and_ten_objects() -> None:
    assert (len(TEXTURES), len(OBJECTS), len(set(CATEGORIES))) == (5, 10, 15)
    assert set(CATEGORY_SETTINGS) <= set(CATEGORIES)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_resolves_under_every_preset(preset: str, category: str) -> None:
    row = {} if preset == "best" else CATEGORY_SETTINGS.get(category, {})
    expected = {**flatten_config(MethodConfig()), **PRESETS[preset], **row}
    assert flatten_config(resolve(preset, category)) == expected


def test_the_presets_are_the_defaults_and_the_paper_without_held_out_images() -> None:
    assert set(PRESETS) == {"default", "paper", "best"}
    assert resolve("default", "tile") == MethodConfig()
    assert differences(resolve("paper", "tile")) == {
        "validation.held_out_share": 0.0,
        "difference.feature_factor": 100.0,
    }


def test_best_is_the_same_for_every_category_tuned_or_not() -> None:
    assert {resolve("best", name) for name in CATEGORIES} == {resolve("best", "my-line")}
    assert resolve("best", "screw", {"memory.samples": 5}).memory.samples == 5


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_the_authors_exceptions_hold_under_the_presets_of_the_paper(preset: str) -> None:
    """transistor's and cable's own features are not multiplied, transistor's difference more."""
    factors = {
        name: (config.difference.factor, config.difference.feature_factor)
        for name in CATEGORIES
        if (config := resolve(preset, name))
    }
    plain = resolve(preset, "my-line").difference.feature_factor
    assert factors.pop("transistor") == (1000.0, 1.0)
    assert factors.pop("cable") == (100.0, 1.0)
    assert set(factors.values()) == {(100.0, plain)}


@pytest.mark.parametrize("category", TEXTURES)
def test_a_texture_has_no_foreground(category: str) -> None:
    assert resolve("default", category).foreground.mode == "off"


def test_the_paper_s_exceptions_have_their_number_of_memory_samples() -> None:
    samples = {name: resolve("default", name).memory.samples for name in CATEGORIES}
    assert samples.pop("screw") == 120
    assert samples.pop("toothbrush") == 10
    assert set(samples.values()) == {30}


def test_a_category_of_ones_own_has_the_presets_settings() -> None:
    assert resolve("default", "my-line.3") == MethodConfig()
    assert category_layer("my-line.3") == {}


@pytest.mark.parametrize("settings", range(5))
def test_of_all_layers_the_last_that_speaks_wins(
    monkeypatch: pytest.MonkeyPatch, settings: int
) -> None:
    """Layer k sets the k+1 lowest of five names: each name's value shows which layer won."""
    names = (
        "memory.samples", "training.max_steps", "validation.anomalies", "loss.focal_gamma",
        "foreground.threshold",
    )  # fmt: skip
    values = (11, 12, 13, 14, 15)
    layers = [dict.fromkeys(names[i:], values[i]) for i in range(5)]
    monkeypatch.setattr(presets, "PRESETS", {"here": layers[0]})
    monkeypatch.setattr(presets, "CATEGORY_SETTINGS", {"screw": layers[1]})
    flat = flatten_config(resolve("here", "screw", *layers[2:]))
    assert flat[names[settings]] == values[settings]


def test_job_category_and_grid_win_over_the_row_in_this_order() -> None:
    job, own, point = {"memory.samples": 60}, {"memory.samples": 61}, {"memory.samples": 62}
    assert resolve("default", "screw", job).memory.samples == 60
    assert resolve("default", "screw", job, own).memory.samples == 61
    assert resolve("default", "screw", job, own, point).memory.samples == 62
    assert resolve("default", "screw", job, {}, {}).foreground.mode == "otsu"


def test_a_layer_keeps_what_it_does_not_speak_of() -> None:
    config = resolve("paper", "screw", {"loss.focal_gamma": 2}, {"optimizer.lr": 0.02})
    assert differences(config) == {
        **PRESETS["paper"],
        "memory.samples": 120,
        "foreground.mode": "otsu",
        "loss.focal_gamma": 2.0,
        "optimizer.lr": 0.02,
    }


def test_what_a_layer_gives_can_be_changed_without_changing_the_table() -> None:
    category_layer("screw")["memory.samples"] = 1
    preset_layer("paper")["validation.held_out_share"] = 0.5
    assert resolve("paper", "screw").memory.samples == 120
    assert resolve("paper", "screw").validation.held_out_share == 0.0


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingError, match=r"'papr'.*'paper'"):
        resolve("papr", "screw")


def test_an_unknown_name_or_a_bad_value_in_a_layer_is_refused() -> None:
    with pytest.raises(SettingError, match=r"'memory.sample'; did you mean 'memory.samples'"):
        resolve("default", "screw", {"memory.sample": 3})
    with pytest.raises(SettingError, match=r"memory.samples must be at least 1, got 0"):
        resolve("default", "screw", {"memory.samples": 0})


def test_a_bad_value_that_a_later_layer_replaces_does_no_harm() -> None:
    config = resolve("default", "screw", {"memory.samples": 0}, {"memory.samples": 5})
    assert config.memory.samples == 5


@pytest.mark.parametrize("category", ["transistor", "cable", "screw", "my-line"])
def test_a_rows_factors_are_left_out_where_the_difference_is_normalised(category: str) -> None:
    normalised = {"difference.normalisation": "level"}
    found = flatten_config(resolve("default", category, normalised))
    expected = {
        **flatten_config(MethodConfig()),
        **CATEGORY_SETTINGS.get(category, {}),
        **normalised,
    }
    expected["difference.factor"] = MethodConfig().difference.factor
    expected["difference.feature_factor"] = MethodConfig().difference.feature_factor
    assert found == expected
    own = {**normalised, "difference.factor": 10.0}
    assert resolve("default", category, own).difference.factor == 10.0
    assert resolve("default", category, {"difference.factor": 10.0}).difference.factor == 10.0
