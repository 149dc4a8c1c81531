"""What figure 9 shows is what the network computes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memseg.config import MethodConfig, build
from memseg.evaluation.attention import attention_steps
from memseg.evaluation.maps import anomaly_maps
from memseg.model.network import MemSegNet, build_network
from memseg.model.weights import EncoderWeights
from memseg.training.execution import Execution

Images = npt.NDArray[np.uint8]


def test_steps_are_the_networks_own(
    network: MemSegNet, images: Images, execution: Execution
) -> None:
    steps = attention_steps(network, images, execution)
    assert [level.shape for level in steps.differences] == [(7, 16, 16), (7, 8, 8), (7, 4, 4)]
    assert [level.shape for level in steps.attention] == [(7, 16, 16), (7, 8, 8), (7, 4, 4)]
    assert np.array_equal(steps.attention[2], steps.differences[2])  # eq. 5
    own = network.attention_maps(execution.images(torch.from_numpy(np.array(images))))
    for found, expected in zip(steps.attention, own):
        np.testing.assert_allclose(found, expected[:, 0].numpy(), rtol=1e-4, atol=1e-6)
    assert np.array_equal(steps.maps, anomaly_maps(network, images, execution))
    assert steps.used
    assert steps.settings == "absolute, times 100"


def test_an_image_of_the_memory_has_no_difference(
    network: MemSegNet, images: Images, execution: Execution
) -> None:
    assert network.memory is not None
    known = network.memory.images.numpy()
    steps = attention_steps(network, known, execution)
    others = attention_steps(network, images, execution)
    for level, other in zip(steps.differences, others.differences):
        assert level.max() < 1e-3 * other.max()


def test_without_memory_there_is_nothing_to_show(images: Images, execution: Execution) -> None:
    config = build(MethodConfig, {"image.size": 64, "model.memory": False})
    network = build_network(config, None, EncoderWeights("random", None), 0)
    execution.place(network)
    with pytest.raises(ValueError, match="without memory"):
        attention_steps(network, images, execution)
