"""What is frozen stays as it was, and the memory stays true to it."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

from memseg.model.network import MemSegNet

Networks = Callable[..., MemSegNet]
Steps = Callable[..., None]


def assert_known(network: MemSegNet, known: torch.Tensor, unknown: torch.Tensor) -> None:
    """Difference information of memory images is 0 beside that of other images."""
    own, others = network.difference_information(known), network.difference_information(unknown)
    for zero, typical in zip(own, others):
        assert float(typical.mean()) > 0.1
        assert float(zero.max()) <= 1e-4 * float(typical.max())


@pytest.mark.parametrize(
    ("bf16", "layout"),
    [
        (False, torch.channels_last),
        (False, torch.contiguous_format),
        (True, torch.channels_last),
        # A processor without bfloat16 takes a minute for it.
        pytest.param(True, torch.contiguous_format, marks=pytest.mark.long),
    ],
)
def test_memory_images_have_no_difference_after_training_steps(
    make_network: Networks, take_steps: Steps, known: torch.Tensor, unknown: torch.Tensor,
    bf16: bool, layout: torch.memory_format,
) -> None:  # fmt: skip
    network = make_network()
    network.to(memory_format=layout)  # type: ignore[call-overload]
    before = network.difference_information(unknown)
    take_steps(network, torch.cat([known, unknown]), bf16)
    for training in (True, False):
        network.train(training)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            assert_known(network, known, unknown)
    for old, new in zip(before, network.difference_information(unknown)):
        assert torch.equal(old, new)


def test_a_single_memory_image_differs_by_rounding_only(
    make_network: Networks, known: torch.Tensor, unknown: torch.Tensor
) -> None:
    network = make_network()
    for image in known.split(1):
        assert_known(network, image, unknown)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_images_in_another_layout_are_compared_in_the_layout_of_the_weights(
    make_network: Networks, known: torch.Tensor, unknown: torch.Tensor, layout: torch.memory_format
) -> None:
    network = make_network()
    network.to(memory_format=layout)  # type: ignore[call-overload]
    strided = known.repeat_interleave(2, 0)[::2]
    for images in (known, known.contiguous(memory_format=torch.channels_last), strided):
        assert_known(network, images, unknown)


def test_training_steps_move_no_frozen_value(
    make_network: Networks, take_steps: Steps, unknown: torch.Tensor
) -> None:
    network = make_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    take_steps(network, unknown)
    assert {name.partition(".")[0] for name in before} == {
        "trunk", "memory", "bottleneck", "fusion", "decoder"
    }  # fmt: skip
    for name, value in network.state_dict().items():
        if name.startswith(("trunk.", "memory.")):
            assert torch.equal(value, before[name]), name
        elif name.endswith("running_mean"):
            assert not torch.equal(value, before[name]), name


def test_trunk_has_no_gradients_and_everything_else_has(
    make_network: Networks, unknown: torch.Tensor
) -> None:
    network = make_network()
    network.train()
    network(unknown).square().mean().backward()
    for name, parameter in network.named_parameters():
        if name.startswith("trunk."):
            assert not parameter.requires_grad
            assert parameter.grad is None
        else:
            assert parameter.grad is not None, name
            assert float(parameter.grad.abs().max()) > 0, name
    trained = {id(parameter) for parameter in network.trainable_parameters()}
    frozen = {id(parameter) for parameter in network.trunk.parameters()}
    assert not trained & frozen
    assert trained | frozen == {id(parameter) for parameter in network.parameters()}


def test_trunk_stays_in_eval_mode_whatever_is_asked(make_network: Networks) -> None:
    network = make_network()
    network.train()
    assert not any(module.training for module in network.trunk.modules())
    assert network.bottleneck.training
    network.trunk.train(True)
    assert not any(module.training for module in network.trunk.modules())


def test_features_made_in_inference_mode_serve_a_training_step(
    make_network: Networks, take_steps: Steps, unknown: torch.Tensor
) -> None:
    network = make_network()
    with torch.inference_mode():
        network.anomaly_map(unknown)
    take_steps(network, unknown)


def test_memory_follows_a_trunk_that_gets_other_weights(
    make_network: Networks, known: torch.Tensor, unknown: torch.Tensor
) -> None:
    network, other = make_network(seed=0), make_network(seed=1)
    assert_known(network, known, unknown)
    network.trunk.load_state_dict(other.trunk.state_dict())
    assert_known(network, known, unknown)
    for mine, theirs in zip(
        network.difference_information(unknown), other.difference_information(unknown)
    ):
        assert torch.equal(mine, theirs)


def test_memory_follows_images_that_are_loaded_alone(
    make_network: Networks, known: torch.Tensor, unknown: torch.Tensor
) -> None:
    network = make_network()
    assert_known(network, known, unknown)
    images = (unknown[:3] * 255).round().to(torch.uint8)
    network.memory.load_state_dict({"images": images})  # type: ignore[union-attr]
    assert_known(network, unknown[:3], known)


def test_memory_follows_a_change_of_precision(
    make_network: Networks, known: torch.Tensor, unknown: torch.Tensor
) -> None:
    network = make_network()
    single = network.difference_information(unknown)
    network.double()
    assert_known(network, known.double(), unknown.double())
    for a, b in zip(single, network.difference_information(unknown.double())):
        assert b.dtype == torch.float64
        assert torch.allclose(a.double(), b, rtol=1e-3, atol=1e-2)


def test_a_copy_of_a_network_has_a_memory_of_its_own(
    make_network: Networks, unknown: torch.Tensor
) -> None:
    network = make_network(seed=0)
    before = network.difference_information(unknown)
    twin = copy.deepcopy(network)
    network.load_state_dict(make_network(seed=1).state_dict())
    for a, b in zip(before, twin.difference_information(unknown)):
        assert torch.equal(a, b)


def test_random_trunk_gets_the_statistics_of_the_memory_images(
    make_network: Networks, known: torch.Tensor
) -> None:
    network = make_network()
    stem = network.trunk.conv1((known - network.trunk.mean) / network.trunk.deviation)
    found = network.trunk.bn1
    mean = stem.mean((0, 2, 3))
    variance = stem.var((0, 2, 3))
    assert torch.allclose(found.running_mean, mean, atol=1e-4)
    assert torch.allclose(found.running_var, variance, rtol=1e-3)
    assert found.momentum == 0.1


def test_statistics_of_many_images_are_an_average_in_equal_parts(make_network: Networks) -> None:
    trunk = make_network().trunk
    images = torch.from_numpy(np.random.default_rng(0).uniform(0, 1, (17, 3, 64, 64))).float()
    trunk.estimate_statistics(images)
    stem = trunk.conv1((images - trunk.mean) / trunk.deviation)
    parts = [stem[:9].mean((0, 2, 3)), stem[9:].mean((0, 2, 3))]
    assert torch.allclose(trunk.bn1.running_mean, (parts[0] + parts[1]) / 2, atol=1e-5)
