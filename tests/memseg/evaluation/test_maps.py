"""Anomaly maps of many images are those of each image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.evaluation.maps import anomaly_maps
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution, make_execution

Images = npt.NDArray[np.uint8]


def one_by_one(network: MemSegNet, images: Images) -> npt.NDArray[np.float32]:
    network.eval()
    with torch.no_grad():
        maps = [network.anomaly_map(torch.from_numpy(i[None] / np.float32(255))) for i in images]
    return torch.cat(maps).numpy()


def test_maps_are_the_networks_for_each_image_in_order(
    network: MemSegNet, images: Images, execution: Execution
) -> None:
    maps = anomaly_maps(network, images, execution, batch=3)
    expected = one_by_one(network, images)
    assert maps.dtype == np.float32
    assert maps.shape == (7, 64, 64)
    assert np.allclose(maps, expected, atol=1e-4)
    # Another image's map would not pass: the order is kept, the last partial batch too.
    for other in range(1, 7):
        assert not np.isclose(maps, np.roll(expected, other, axis=0), atol=1e-3).all((1, 2)).any()


@pytest.mark.parametrize("batch", [1, 2, 7, 8])
def test_the_batch_size_changes_nothing_but_rounding(
    network: MemSegNet, images: Images, execution: Execution, batch: int
) -> None:
    whole = anomaly_maps(network, images, execution)
    assert np.allclose(whole, anomaly_maps(network, images, execution, batch), atol=1e-4)


def test_maps_are_probabilities_and_the_same_bits_again(
    network: MemSegNet, images: Images, execution: Execution
) -> None:
    maps = anomaly_maps(network, images, execution)
    assert float(maps.min()) >= 0
    assert float(maps.max()) <= 1
    assert float(maps.std()) > 1e-3
    assert np.array_equal(maps, anomaly_maps(network, images, execution))


def test_no_image_gives_no_map(network: MemSegNet, images: Images, execution: Execution) -> None:
    maps = anomaly_maps(network, images[:0], execution)
    assert maps.shape == (0, 64, 64)
    assert maps.dtype == np.float32


def test_a_network_in_training_is_judged_in_eval_mode_and_can_train_on(
    network: MemSegNet, images: Images, execution: Execution
) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    maps = anomaly_maps(network, images, execution)
    assert np.allclose(maps, one_by_one(network, images), atol=1e-4)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    # The memory's features were made within inference mode.
    network.train()
    network(execution.images(torch.from_numpy(images.copy()))).square().mean().backward()
    assert all(p.grad is not None for p in network.trainable_parameters())


def test_bf16_gives_float32_maps_near_those_of_fp32(
    network: MemSegNet, images: Images, execution: Execution
) -> None:
    half = anomaly_maps(network, images, make_execution("cpu", "bf16", channels_last=True))
    single = anomaly_maps(network, images, execution)
    assert half.dtype == np.float32
    assert not np.array_equal(half, single)
    assert float(np.abs(half - single).mean()) < 0.03
