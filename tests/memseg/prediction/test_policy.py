"""Which published thresholds serve."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from memseg.errors import RegistryError, SettingError
from memseg.prediction.policy import Threshold, choose

RATE, F1, TEST = "false_positive_rate", "best_f1_synthetic", "best_f1_test"


def published(**changed: Any) -> dict[str, Any]:
    """Image thresholds by both policies, pixels by the rate alone."""
    chosen = {
        "policies": {
            RATE: {"image": {"threshold": 0.5}, "pixel": {"threshold": 0.6}},
            F1: {"image": {"threshold": 0.4}},
        },
        "absent": {F1: {"pixel": "it is absent here"}},
        "default": {"image": RATE, "pixel": RATE},
        **changed,
    }
    return {
        "image_threshold": 0.3, "pixel_threshold": None,
        "undefined": {"pixel_threshold": "no ground-truth masks"}, "without_test_labels": chosen,
    }  # fmt: skip


OLD = {"image_threshold": 0.3, "pixel_threshold": 0.2, "undefined": {}, "chosen_for": "best F1"}


def test_the_versions_own_default_serves() -> None:
    found = choose(published(), "here")
    assert (found.image, found.pixel) == (Threshold(0.5, RATE), Threshold(0.6, RATE))
    other = published(default={"image": F1, "pixel": RATE})
    assert choose(other, "here").image == Threshold(0.4, F1)


def test_a_policy_can_be_named_and_numbers_given() -> None:
    found = choose(published(), "here", F1, pixel=0.9)
    assert (found.image, found.pixel) == (Threshold(0.4, F1), Threshold(0.9, "given"))
    both = choose(None or OLD, "here", image=0.1, pixel=0.2)
    assert (both.image.value, both.pixel.value, both.image.policy) == (0.1, 0.2, "given")


def test_a_threshold_that_is_not_there_is_said_with_its_reason_and_what_there_is() -> None:
    with pytest.raises(SettingError, match=rf"here has no pixel .*{F1} \(it is absent .*: {RATE}"):
        choose(published(), "here", F1)
    with pytest.raises(SettingError, match=r"best_f1_test \(no ground-truth masks\)"):
        choose(published(), "here", TEST)


def test_thresholds_of_the_test_set_are_only_taken_by_name() -> None:
    with pytest.raises(SettingError, match=f"chosen without test labels .*{TEST}.*--policy"):
        choose(OLD, "here")
    assert choose(OLD, "here", TEST).image == Threshold(0.3, TEST)
    assert choose({**OLD, "without_test_labels": None}, "here", TEST).pixel.value == 0.2
    with pytest.raises(SettingError, match="chosen without test labels"):
        choose(published(policies={}, default={"image": None, "pixel": None}), "here")


def test_an_unknown_policy_and_a_number_that_is_none_are_refused() -> None:
    with pytest.raises(SettingError, match=f"one of {RATE}, {F1}, {TEST}, got 'best'"):
        choose(published(), "here", "best")
    with pytest.raises(SettingError, match="finite"):
        choose(published(), "here", image=float("nan"))


@pytest.mark.parametrize("value", [
    None, [], 3, {}, {"undefined": {}}, {**OLD, "image_threshold": "much"},
    {**OLD, "image_threshold": float("inf")}, {**OLD, "undefined": None, "image_threshold": None},
    {**OLD, "without_test_labels": []},
    published(policies={RATE: {"image": 0.3}}), published(policies=[]),
    published(default={}), published(absent={RATE: 3}),
    published(default={"image": [RATE], "pixel": RATE}),
], ids=str)  # fmt: skip
def test_a_damaged_file_is_named(value: Any) -> None:
    with pytest.raises(RegistryError, match=r"^thresholds\.json is damaged"):
        choose(copy.deepcopy(value), "thresholds.json")
