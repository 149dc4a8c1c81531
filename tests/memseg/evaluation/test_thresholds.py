"""Which thresholds a trial records, with maps made by hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from memseg.config import MethodConfig, build
from memseg.config.method import EvaluationConfig
from memseg.errors import SettingError
from memseg.evaluation.synthetic import NORMAL, SHAPES, TURNED, SyntheticMaps
from memseg.evaluation.thresholds import BEST_F1, RATE, choose_thresholds
from memseg.metrics.precision import best_f1

SIDE = 32


def maps_of(normal: list[float], shapes: list[float], turned: list[float] = ()) -> SyntheticMaps:  # type: ignore[assignment]
    """Each image has one score everywhere; an anomalous image's left half is its anomaly."""
    scores = np.array([*normal, *shapes, *turned], np.float32)
    maps = np.broadcast_to(scores[:, None, None], (len(scores), SIDE, SIDE)).copy()
    kinds = np.array([NORMAL] * len(normal) + [SHAPES] * len(shapes) + [TURNED] * len(turned))
    masks = np.zeros(maps.shape, bool)
    masks[len(normal) :, :, : SIDE // 2] = True
    maps[len(normal) :, :, SIDE // 2 :] = 0.05
    return SyntheticMaps(maps, masks, kinds)


def settings(**flat: Any) -> EvaluationConfig:
    named = {f"evaluation.{name}": value for name, value in flat.items()}
    return build(MethodConfig, {"evaluation.top_pixels": 4, **named}).evaluation


def test_enough_held_out_images_give_both_policies_and_the_rate_serves() -> None:
    found = choose_thresholds(maps_of([i / 100 for i in range(19)], [0.5, 0.12]), settings())
    rate, f1 = found.policies[RATE], found.policies[BEST_F1]
    assert rate["image"]["threshold"] == pytest.approx(0.18)
    assert rate["image"]["threshold"] > float(np.float32(0.18))
    assert (rate["image"]["target"], rate["image"]["bound"]) == (0.05, 0.05)
    assert rate["image"]["normal_images"] == 19
    assert rate["pixel"]["normal_pixels"] == 19 * SIDE * SIDE
    assert f1["image"]["anomalous_images"] == 2
    assert found.default == {"image": RATE, "pixel": RATE}
    assert found.absent == {}
    assert found.held_out == 19
    assert json.loads(json.dumps(asdict(found))) == asdict(found)


def test_the_pixel_rate_is_over_all_pixels_of_held_out_normal_images() -> None:
    maps = maps_of([0.1] * 19, [0.9])
    random = np.random.default_rng(0)
    maps.maps[:19] = random.random((19, SIDE, SIDE))
    found = choose_thresholds(maps, settings(pixel_false_positive_rate=0.1))
    threshold = found.policies[RATE]["pixel"]["threshold"]
    share = float((maps.maps[:19] >= threshold).mean())
    assert 0.0999 < share <= 0.1


def test_best_f1_is_over_all_kinds_of_simulated_anomalies() -> None:
    maps = maps_of([0.2, 0.3, 0.4], [0.6], [0.35, 0.1])
    found = choose_thresholds(maps, settings()).policies[BEST_F1]
    f1, threshold = best_f1(np.array([0.2, 0.3, 0.4, 0.6, 0.35, 0.1]), np.arange(6) >= 3)
    assert found["image"]["threshold"] == pytest.approx(threshold)
    assert found["image"]["f1"] == f1
    assert found["pixel"]["anomalous_pixels"] == 3 * SIDE * SIDE // 2


def test_a_small_category_does_without_the_default_rate_and_says_why() -> None:
    found = choose_thresholds(maps_of([0.1] * 6, [0.9]), settings())
    assert found.default == {"image": BEST_F1, "pixel": RATE}
    assert "image" not in found.policies[RATE]
    assert found.absent[RATE]["image"] == (
        "evaluation.false_positive_rate 0.05 needs at least 19 held-out normal images, there are "
        "6: the least rate is 1/(n+1), here 0.143"
    )


def test_a_rate_that_was_asked_for_is_refused_where_it_cannot_be_had() -> None:
    with pytest.raises(SettingError, match="needs at least 9 held-out"):
        choose_thresholds(maps_of([0.1] * 6, [0.9]), settings(false_positive_rate=0.1))
    found = choose_thresholds(maps_of([0.1] * 6, [0.9]), settings(false_positive_rate=0.2))
    assert found.policies[RATE]["image"]["bound"] == 1 / 7


def test_normal_images_with_the_highest_score_there_is_leave_no_rate() -> None:
    found = choose_thresholds(maps_of([1.0] * 19, [1.0]), settings())
    assert found.default == {"image": BEST_F1, "pixel": BEST_F1}
    assert "the highest score there is" in found.absent[RATE]["image"]


def test_without_held_out_images_there_is_nothing_and_the_reason() -> None:
    found = choose_thresholds(None, settings())
    assert found.default == {"image": None, "pixel": None}
    assert found.policies == {}
    assert {reason for units in found.absent.values() for reason in units.values()} == {
        "no normal image was held out (validation.held_out_share is 0)"
    }
    with pytest.raises(SettingError):
        choose_thresholds(None, settings(false_positive_rate=0.2))
