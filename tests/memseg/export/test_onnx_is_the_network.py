"""An exported file gives what its network gives, for every option and any number of images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.export.metadata import Metadata
from memseg.export.onnx_model import OnnxModel
from memseg.export.parity import check_parity, choice
from memseg.export.to_onnx import to_onnx
from memseg.metrics.image_score import image_score
from memseg.model.difference import distances, smooth
from memseg.model.network import MemSegNet

Images = npt.NDArray[np.uint8]
CLOSE = 1e-4
"""Between 64-pixel maps of two runtimes: seen were 3e-6."""


def own_maps(network: MemSegNet, images: Images) -> npt.NDArray[np.float32]:
    with torch.no_grad():
        found: npt.NDArray[np.float32] = network.anomaly_map(
            torch.from_numpy(np.array(images)).float() / 255
        ).numpy()
    return found


def check_batches(network: MemSegNet, model: OnnxModel, images: Images) -> None:
    """1, 3 and 8 images from one file, against the network."""
    for count in (1, 3, 8):
        shown = images[:count]
        found = model.run(shown)
        assert found.maps.dtype == np.float32
        assert found.maps.shape == (count, 64, 64)
        assert np.abs(found.maps - own_maps(network, shown)).max() < CLOSE
        np.testing.assert_allclose(found.scores, image_score(found.maps, 100), rtol=1e-5)
        chosen = choice(network, torch.from_numpy(np.array(shown)).float() / 255)
        if chosen is None:
            assert found.samples is None
            assert found.margins is None
        else:
            np.testing.assert_array_equal(found.samples, chosen)
    parity = check_parity(network, model, images, [str(i) for i in range(len(images))])
    assert parity.problem == ""
    assert parity.same == parity.images == 8


def test_the_default_network(network: MemSegNet, model: OnnxModel, images: Images) -> None:
    check_batches(network, model, images)
    maps = model.maps(images)
    assert maps.std(0).max() > 100 * CLOSE  # images differ by more than is allowed
    assert maps.std((1, 2)).min() > 100 * CLOSE
    samples = model.run(images).samples
    assert samples is not None
    assert len(np.unique(samples)) > 1


@pytest.mark.parametrize(
    "settings",
    [
        {
            "difference__normalisation": "level",
            "difference__choice": "joint",
            "difference__distance": "squared",
            "difference__factor": 1.0,
            "difference__feature_factor": 2.0,
            "model__m1_from": "m3",
            "model__attention_mean": "geometric",
        },
        pytest.param(
            {
                "difference__normalisation": "place",
                "difference__smoothing": 1,
                "difference__factor": 1.0,
            },
            marks=pytest.mark.long,
        ),
        pytest.param({"model__memory": False}, marks=pytest.mark.long),
        pytest.param(
            {
                "model__spatial_attention": False,
                "model__coordinate_attention": False,
                "model__multi_scale": False,
            },
            marks=pytest.mark.long,
        ),
    ],
    ids=lambda settings: ",".join(name.partition("__")[2] for name in settings),
)
def test_every_option(
    network_of: Callable[..., MemSegNet],
    metadata_of: Callable[..., Metadata],
    images: Images,
    settings: dict[str, Any],
) -> None:
    network = network_of(**settings).to(memory_format=torch.channels_last).train()
    file = to_onnx(network, metadata_of(trained_in="bf16"))
    assert network.training  # left as it was
    assert network.trunk.conv1.weight.is_contiguous(memory_format=torch.channels_last)
    model = OnnxModel.from_bytes(file, "screw.onnx", threads=1)
    assert model.metadata.trained_in == "bf16"
    check_batches(network.eval(), model, images)


def test_margins_are_the_shares_by_which_the_nearest_is_nearer(
    network: MemSegNet, model: OnnxModel, images: Images
) -> None:
    assert network.memory is not None
    with torch.no_grad():
        features = network.trunk(torch.from_numpy(np.array(images)).float() / 255)[1]
        held, _ = network.memory(network.trunk)
        sums = [
            distances(smooth(q, 3), m, "absolute").sort(1).values for q, m in zip(features, held)
        ]
    wanted = torch.stack([1 - s[:, 0] / s[:, 1] for s in sums], 1).numpy()
    np.testing.assert_allclose(model.run(images).margins, wanted, atol=1e-4)


def test_images_of_the_memory_find_themselves(
    model: OnnxModel, memory: Images, network: MemSegNet
) -> None:
    found = model.run(memory)
    np.testing.assert_array_equal(found.samples, np.arange(3)[:, None].repeat(3, 1))
    assert found.margins is not None
    assert found.margins.min() > 0.99
