"""The bottleneck's feature space (figure 6)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.errors import DataError
from memseg.evaluation import feature_space as room
from memseg.evaluation.feature_space import (
    ANOMALOUS,
    NORMAL,
    SIMULATED,
    bottleneck_features,
    feature_space,
    nearest_kinds,
)
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution

Images = npt.NDArray[np.uint8]


def test_features_are_the_mean_of_block_4(
    network: MemSegNet, images: Images, execution: Execution
) -> None:
    features = bottleneck_features(network, images, execution)
    assert features.shape == (7, 512)
    seen: list[torch.Tensor] = []
    network.bottleneck.register_forward_hook(lambda *found: seen.append(found[-1]))
    with torch.inference_mode():
        network.eval()(execution.images(torch.from_numpy(np.array(images))))
    np.testing.assert_allclose(features, seen[0].mean((2, 3)).numpy(), rtol=1e-5, atol=1e-6)


def test_points_follow_the_seed(network: MemSegNet, images: Images, execution: Execution) -> None:
    def points(seed: int) -> npt.NDArray[np.float64]:
        found = feature_space(
            network, images[:3], images[3:5], images[5:], execution, seed, "screw"
        )  # fmt: skip
        assert list(found.kinds) == [NORMAL] * 3 + [SIMULATED] * 2 + [ANOMALOUS] * 2
        assert found.points.shape == (7, 2)
        assert found.perplexity == 2
        assert np.isfinite(found.points).all()
        return found.points

    assert np.array_equal(points(0), points(0))


def test_nearest_images_by_hand() -> None:
    features = np.array([[0.0], [1.0], [1.4], [9.0], [10.0]], np.float32)
    kinds = np.array([NORMAL, NORMAL, SIMULATED, ANOMALOUS, ANOMALOUS])
    assert nearest_kinds(features, kinds) == {
        NORMAL: {NORMAL: 0.5, SIMULATED: 0.5, ANOMALOUS: 0.0},
        SIMULATED: {NORMAL: 1.0, SIMULATED: 0.0, ANOMALOUS: 0.0},
        ANOMALOUS: {NORMAL: 0.0, SIMULATED: 0.0, ANOMALOUS: 1.0},
    }


def test_a_kind_may_be_missing_but_not_all(
    network: MemSegNet, images: Images, execution: Execution
) -> None:
    found = feature_space(network, images[:5], images[:0], images[5:], execution, 0, "x")
    assert set(found.nearest) == {NORMAL, ANOMALOUS}
    with pytest.raises(DataError, match="t-SNE of x needs at least 5 images in all, got 2"):
        feature_space(network, images[:1], images[:0], images[:1], execution, 0, "x")


def test_a_block_4_that_gives_the_same_for_every_image_is_said(
    network: MemSegNet, images: Images, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """scikit-learn may end the process there."""
    same = np.zeros((len(images[:5]), 8), np.float32)
    monkeypatch.setattr(room, "bottleneck_features", lambda network, some, how: same[: len(some)])
    with pytest.raises(DataError, match="t-SNE of x: block 4 gives the same features"):
        feature_space(network, images[:5], images[:0], images[5:], execution, 0, "x")


def test_any_seed_is_taken(network: MemSegNet, images: Images, execution: Execution) -> None:
    found = feature_space(network, images, images[:0], images[:0], execution, 5_000_000_000, "x")
    assert found.seed == 5_000_000_000
