"""The score on simulated anomalies, against its definition and with detectors made by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.metrics import average_precision_score

from memseg.config import MethodConfig, build, flatten_config
from memseg.errors import DivergedError
from memseg.evaluation.maps import anomaly_maps
from memseg.evaluation.synthetic import SyntheticScore, evaluate_synthetic
from memseg.model.network import MemSegNet
from memseg.simulation.synthetic import synthetic_validation, turned_validation
from memseg.training.execution import Execution

Images = npt.NDArray[np.uint8]


class Detector(torch.nn.Module):
    """Stands in for a network: its map is a function of the image."""

    def __init__(self, judge: Any) -> None:
        super().__init__()
        self.judge = judge

    def anomaly_map(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.judge(images)
        return found


GREY = np.full((3, 3, 64, 64), 120, np.uint8)


def changed(images: torch.Tensor) -> torch.Tensor:
    """Knows that what is not grey is an anomaly."""
    return ((images * 255 - 120).abs().amax(1) > 0.5).float()


def evaluate(judge: Any, config: MethodConfig, execution: Execution) -> SyntheticScore:
    found = evaluate_synthetic(Detector(judge), GREY, config, 0, execution)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_without_held_out_images_there_is_no_score(
    network: MemSegNet, images: Images, config: MethodConfig, execution: Execution
) -> None:
    assert evaluate_synthetic(network, images[:0], config, 0, execution) is None


def test_the_score_is_the_mean_of_both_average_precisions(
    network: MemSegNet, images: Images, config: MethodConfig, execution: Execution
) -> None:
    held_out = images[:3]
    found = evaluate_synthetic(network, held_out, config, 5, execution)
    assert found is not None
    shown, masks, labels = synthetic_validation(held_out, config.validation, 5)
    maps = anomaly_maps(network, shown, execution)
    largest = np.sort(maps.reshape(len(maps), -1), axis=1)[:, -config.evaluation.top_pixels :]
    image_ap = average_precision_score(labels, largest.mean(1, dtype=np.float64))
    pixel_ap = average_precision_score(masks.ravel(), maps.ravel())
    assert found.image_ap == pytest.approx(image_ap, abs=1e-9)
    assert found.pixel_ap == pytest.approx(pixel_ap, abs=1e-6)
    assert found.score == (found.image_ap + found.pixel_ap) / 2
    assert found.parts == {"shapes": {"image_ap": found.image_ap, "pixel_ap": found.pixel_ap}}
    assert found.images == 3 * (1 + config.validation.anomalies)
    for value in (found.score, found.image_ap, found.pixel_ap):
        assert 0 <= value <= 1
    p = np.where(masks, maps, 1 - maps).astype(np.float64)
    alpha = np.where(masks, config.loss.focal_alpha_abnormal, config.loss.focal_alpha_normal)
    focal = np.mean(-alpha * (1 - p) ** config.loss.focal_gamma * np.log(p))
    expected = config.loss.l1_weight * np.mean(1 - p) + config.loss.focal_weight * focal
    assert found.loss == pytest.approx(expected, rel=1e-4)


def test_the_same_seed_gives_the_same_score_and_another_seed_other_anomalies(
    network: MemSegNet, images: Images, config: MethodConfig, execution: Execution
) -> None:
    held_out = images[:2]
    first = evaluate_synthetic(network, held_out, config, 5, execution)
    np.random.default_rng(0)
    torch.rand(3)
    assert evaluate_synthetic(network, held_out, config, 5, execution) == first
    assert evaluate_synthetic(network, held_out, config, 6, execution) != first


def test_scoring_leaves_network_and_images_as_they_are(
    network: MemSegNet, images: Images, config: MethodConfig, execution: Execution
) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    held_out = images[:2].copy()
    evaluate_synthetic(network, held_out, config, 5, execution)
    assert np.array_equal(held_out, images[:2])
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_who_knows_every_anomaly_has_score_1_and_no_loss(
    config: MethodConfig, execution: Execution
) -> None:
    found = evaluate(changed, config, execution)
    assert (found.score, found.image_ap, found.pixel_ap) == (1.0, 1.0, 1.0)
    assert found.loss == pytest.approx(0, abs=1e-6)


def test_who_knows_nothing_has_the_share_of_anomalies_as_score(
    config: MethodConfig, execution: Execution
) -> None:
    found = evaluate(lambda x: torch.full_like(x[:, 0], 0.5), config, execution)
    masks = synthetic_validation(GREY, config.validation, 0)[1]
    share, k = masks.mean(), config.validation.anomalies
    assert found.image_ap == pytest.approx(k / (k + 1))
    assert found.pixel_ap == pytest.approx(share)
    focal = (1.2 * share + 1.0 * (1 - share)) * 0.5**4 * math.log(2)
    assert found.loss == pytest.approx(0.6 * 0.5 + 0.4 * focal, rel=1e-5)


def test_who_is_wrong_everywhere_has_a_finite_loss_and_a_low_score(
    config: MethodConfig, execution: Execution
) -> None:
    found = evaluate(lambda x: 1 - changed(x), config, execution)
    right = evaluate(changed, config, execution)
    assert 0 <= found.score < right.score
    assert found.loss > right.loss
    assert math.isfinite(found.loss)


def test_a_network_that_diverged_has_no_score(config: MethodConfig, execution: Execution) -> None:
    with pytest.raises(DivergedError, match="not finite"):
        evaluate(lambda x: torch.full_like(x[:, 0], float("nan")), config, execution)


def test_settings_of_evaluation_and_validation_are_heeded(execution: Execution) -> None:
    few = build(MethodConfig, {"image.size": 64, "validation.anomalies": 1})
    assert evaluate(changed, few, execution).images == 2 * len(GREY)

    def one_hot_pixel_on_normal(images: torch.Tensor) -> torch.Tensor:
        """Shouts once on normal images, speaks low but broadly on anomalous ones."""
        maps = changed(images) * 0.5
        maps[maps.amax((1, 2)) == 0, 0, 0] = 1.0
        return maps

    top = build(MethodConfig, {"image.size": 64, "evaluation.top_pixels": 1})
    broad = build(MethodConfig, {"image.size": 64, "evaluation.top_pixels": 20})
    assert evaluate(one_hot_pixel_on_normal, top, execution).image_ap < 1
    assert evaluate(one_hot_pixel_on_normal, broad, execution).image_ap == 1


def test_turned_parts_are_judged_beside_the_same_normal_images(
    network: MemSegNet, images: Images, config: MethodConfig, execution: Execution
) -> None:
    held_out = images[:3]
    more = build(MethodConfig, {**flatten_config(config), "validation.turned": 2})
    plain = evaluate_synthetic(network, held_out, config, 5, execution)
    found = evaluate_synthetic(network, held_out, more, 5, execution)
    assert plain is not None
    assert found is not None
    assert found.images == plain.images + 6
    assert found.parts["shapes"] == plain.parts["shapes"]
    shown, masks = turned_validation(held_out, more.validation, 5)
    maps = anomaly_maps(network, np.concatenate([held_out, shown]), execution)
    largest = np.sort(maps.reshape(len(maps), -1), axis=1)[:, -config.evaluation.top_pixels :]
    labels = np.arange(9) >= 3
    turned = found.parts["turned"]
    assert turned["image_ap"] == pytest.approx(
        average_precision_score(labels, largest.mean(1, dtype=np.float64)), abs=1e-6
    )
    whole = np.concatenate([np.zeros((3, *masks.shape[1:]), bool), masks])
    assert turned["pixel_ap"] == pytest.approx(
        average_precision_score(whole.ravel(), maps.ravel()), abs=1e-4
    )
    assert found.image_ap == pytest.approx((plain.image_ap + turned["image_ap"]) / 2)
    assert found.pixel_ap == pytest.approx((plain.pixel_ap + turned["pixel_ap"]) / 2)
