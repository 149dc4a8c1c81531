"""The whole network: its shape, its seeds, and the switches of the paper's table 5."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from memseg.config import MethodConfig
from memseg.errors import DataError, EmptyDataError
from memseg.model.network import MemSegNet, build_network
from memseg.model.weights import EncoderWeights

Networks = Callable[..., MemSegNet]
Configs = Callable[..., MethodConfig]
RANDOM = EncoderWeights("random", None)


def logits_of(network: MemSegNet, images: torch.Tensor) -> torch.Tensor:
    """In train mode: BatchNorm of the batch, so that random weights say something."""
    network.train()
    with torch.no_grad():
        return network(images)  # type: ignore[no-any-return]


def test_logits_and_anomaly_map_have_the_images_size(
    make_network: Networks, unknown: torch.Tensor
) -> None:
    network = make_network().eval()
    with torch.no_grad():
        logits, found = network(unknown), network.anomaly_map(unknown)
    assert logits.shape == (4, 2, 64, 64)
    assert found.shape == (4, 64, 64)
    odds = logits.double().exp()
    assert torch.allclose(found.double(), odds[:, 1] / odds.sum(1), atol=1e-6)


def test_difference_and_attention_have_the_levels_shapes(
    make_network: Networks, unknown: torch.Tensor
) -> None:
    network = make_network()
    shapes = [tuple(level.shape) for level in network.difference_information(unknown)]
    assert shapes == [(4, 64, 16, 16), (4, 128, 8, 8), (4, 256, 4, 4)]
    shapes = [tuple(level.shape) for level in network.attention_maps(unknown)]
    assert shapes == [(4, 1, 16, 16), (4, 1, 8, 8), (4, 1, 4, 4)]


def test_size_and_cost_are_those_of_the_specification(make_network: Networks) -> None:
    network = make_network().eval()
    trained = sum(parameter.numel() for parameter in network.trainable_parameters())
    assert trained == 18_217_474  # about 18 million
    image = torch.zeros(1, 3, 64, 64)
    network(image)  # makes the memory's features, which are not counted
    with FlopCounterMode(display=False) as counter:
        network(image)
    at_256 = counter.get_total_flops() * (256 / 64) ** 2
    assert at_256 == pytest.approx(25e9, rel=0.01)


def test_bf16_autocast_gives_finite_maps_near_those_of_fp32(
    make_network: Networks, unknown: torch.Tensor
) -> None:
    network = make_network(difference__factor=1000.0).eval()
    with torch.no_grad():
        single = network.anomaly_map(unknown)
        with torch.autocast("cpu", torch.bfloat16):
            half = network.anomaly_map(unknown)
    assert half.dtype == torch.float32
    assert torch.allclose(single, half, atol=0.1)


# Switches


@pytest.mark.parametrize(
    "change",
    [
        {"model__spatial_attention": False},
        {"model__m1_from": "m3"},
        {"model__multi_scale": False},
        {"model__coordinate_attention": False},
        {"difference__distance": "squared"},
        {"difference__smoothing": 1},
        {"difference__factor": 10.0},
        {"difference__feature_factor": 100.0},
        {"difference__normalisation": "level"},
        {"difference__normalisation": "place"},
        {"model__attention_mean": "geometric"},
    ],
    ids=str,
)
def test_each_switch_changes_the_function_with_the_same_weights(
    make_network: Networks, unknown: torch.Tensor, change: dict[str, Any]
) -> None:
    whole, other = make_network(), make_network(**change)
    state = whole.state_dict()
    wanted = other.state_dict()
    assert set(wanted) <= set(state)
    other.load_state_dict({name: state[name] for name in wanted})
    a, b = logits_of(whole, unknown), logits_of(other, unknown)
    assert a.shape == b.shape
    assert float((a - b).abs().max()) > 1e-4 * float(a.abs().max())


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"model__multi_scale": False}, ("fusion.align",)),
        ({"model__coordinate_attention": False}, ("attention",)),
        ({"model__memory": False}, ("memory",)),
    ],
    ids=str,
)
def test_a_switch_that_is_off_leaves_no_parts_behind(
    make_network: Networks, change: dict[str, Any], parts: tuple[str, ...]
) -> None:
    whole, other = make_network().state_dict(), make_network(**change).state_dict()
    for part in parts:
        assert any(part in name for name in whole)
        assert not any(part in name for name in other)


def test_without_memory_the_memory_images_make_no_difference(
    make_config: Configs, memory_images: npt.NDArray[np.uint8], unknown: torch.Tensor
) -> None:
    config = make_config(model__memory=False)
    weights = EncoderWeights("file", encoder_state())
    outputs = [
        logits_of(build_network(config, images, weights, 0), unknown)
        for images in (memory_images, memory_images[::-1] // 2, None)
    ]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])


def test_without_memory_there_is_no_difference_to_show(
    make_network: Networks, unknown: torch.Tensor
) -> None:
    network = make_network(model__memory=False)
    with pytest.raises(ValueError, match="without memory"):
        network.difference_information(unknown)
    with pytest.raises(ValueError, match="without memory"):
        network.attention_maps(unknown)


def test_the_choice_of_the_sample_reaches_the_difference(
    make_network: Networks, unknown: torch.Tensor
) -> None:
    """One sample for all levels can only be farther away on each of them."""
    own, one = make_network(), make_network(difference__choice="joint")
    one.load_state_dict(own.state_dict())
    sums = [
        torch.stack([level.sum((1, 2, 3)) for level in network.difference_information(unknown)])
        for network in (own, one)
    ]
    assert bool((sums[0] <= sums[1] * (1 + 1e-5)).all())
    assert bool((sums[0] < sums[1] * (1 - 1e-3)).any())


def test_attention_maps_weigh_the_fused_features(
    make_network: Networks, known: torch.Tensor
) -> None:
    """Where there is no difference the maps are 0: fused features then cannot matter."""
    network = make_network().eval()
    with torch.no_grad():
        before = network(known)
        for parameter in network.fusion.parameters():
            parameter.normal_()
        after = network(known)
    assert torch.allclose(before, after, atol=1e-4)


def test_multi_scale_adds_coarser_levels_to_finer_ones(make_network: Networks) -> None:
    torch.manual_seed(0)
    levels = [torch.randn(2, 2 * c, side, side) for c, side in ((64, 16), (128, 8), (256, 4))]
    coarser = [levels[0], levels[1], levels[2] + torch.randn_like(levels[2])]
    for multi_scale in (True, False):
        fusion = make_network(model__multi_scale=multi_scale).fusion.eval()
        with torch.no_grad():
            a, b = fusion(levels), fusion(coarser)
        assert [tuple(level.shape[1:]) for level in a] == [(64, 16, 16), (128, 8, 8), (256, 4, 4)]
        assert torch.equal(a[0], b[0]) != multi_scale
        assert torch.equal(a[1], b[1]) != multi_scale
        assert not torch.equal(a[2], b[2])


def test_every_skip_reaches_the_logits(make_network: Networks) -> None:
    torch.manual_seed(0)
    decoder = make_network().decoder.train()
    bottleneck = torch.randn(2, 512, 2, 2)
    skips = [torch.randn(2, c, side, side) for c, side in ((256, 4), (128, 8), (64, 16), (64, 32))]
    with torch.no_grad():
        before = decoder(bottleneck, skips)
        assert before.shape == (2, 2, 64, 64)
        assert not torch.equal(before, decoder(torch.randn_like(bottleneck), skips))
        for place in range(4):
            changed = [torch.randn_like(s) if i == place else s for i, s in enumerate(skips)]
            assert not torch.equal(before, decoder(bottleneck, changed))


# Seeds


def encoder_state(layer4: bool = False) -> dict[str, torch.Tensor]:
    """Weights of a random ResNet18, as a file holds them."""
    import torchvision

    generator = torch.Generator().manual_seed(5)
    state = torchvision.models.resnet18(weights=None).state_dict()
    kept = {n: v for n, v in state.items() if layer4 or not n.startswith(("layer4.", "fc."))}
    for value in kept.values():
        if value.ndim == 4:
            value.normal_(0, 0.05, generator=generator)
    return kept


@pytest.mark.parametrize("from_file", [False, True])
def test_the_seed_alone_decides_the_initial_weights(
    make_config: Configs, memory_images: npt.NDArray[np.uint8], from_file: bool
) -> None:
    weights = EncoderWeights("file", encoder_state()) if from_file else RANDOM

    def state(seed: int) -> dict[str, torch.Tensor]:
        return build_network(make_config(), memory_images, weights, seed).state_dict()

    first = state(7)
    torch.randn(5)
    again, other = state(7), state(8)
    assert all(torch.equal(first[name], again[name]) for name in first)
    for name in ("bottleneck.0.conv1.weight", "fusion.levels.0.mix.0.weight"):
        assert not torch.equal(first[name], other[name])
    assert torch.equal(first["trunk.conv1.weight"], other["trunk.conv1.weight"]) == from_file


def test_weights_of_a_file_are_in_the_network(
    make_config: Configs, memory_images: npt.NDArray[np.uint8]
) -> None:
    state = encoder_state(layer4=True)
    found = build_network(make_config(), memory_images, EncoderWeights("file", state), 0)
    for name, value in state.items():
        if name.startswith("fc."):
            continue
        part, _, rest = name.partition(".")
        mine = f"bottleneck.{rest}" if part == "layer4" else f"trunk.{name}"
        assert torch.equal(found.state_dict()[mine], value), name


def test_building_leaves_the_global_generators_alone(
    make_config: Configs, memory_images: npt.NDArray[np.uint8]
) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1], random.getstate()
    build_network(make_config(), memory_images, RANDOM, 3)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # type: ignore[arg-type]
    assert before[2] == random.getstate()


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_the_memory_keeps_its_images_when_the_callers_change(
    make_config: Configs, memory_images: npt.NDArray[np.uint8], kind: str
) -> None:
    given = memory_images.copy() if kind == "array" else torch.from_numpy(memory_images.copy())
    network = build_network(make_config(), given, RANDOM, 0)
    given[:] = 0
    assert np.array_equal(network.state_dict()["memory.images"].numpy(), memory_images)


# Bad input


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(3, 64, 64), r"\(3, 64, 64\)"),
        (torch.zeros(1, 1, 64, 64), r"\(1, 1, 64, 64\)"),
        (torch.zeros(1, 3, 64, 96), r"\(1, 3, 64, 96\)"),
        (torch.zeros(1, 3, 80, 80), "multiple of 32"),
        (torch.zeros(1, 3, 96, 96), "96 pixels wide, the memory's 64"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), "floats"),
    ],
)
def test_images_that_do_not_fit_are_refused(
    make_network: Networks, images: torch.Tensor, words: str
) -> None:
    network = make_network()
    for call in (network, network.anomaly_map, network.difference_information):
        with pytest.raises(DataError, match=words):
            call(images)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 3, 64, 64), np.float32), "uint8"),
        (np.zeros((2, 64, 64, 3), np.uint8), r"\(N, 3, S, S\)"),
        (np.zeros((3, 64, 64), np.uint8), r"\(N, 3, S, S\)"),
    ],
)
def test_memory_images_of_another_form_are_refused(
    make_config: Configs, images: npt.NDArray[Any], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        build_network(make_config(), images, RANDOM, 0)


@pytest.mark.parametrize("images", [None, np.zeros((0, 3, 64, 64), np.uint8)])
def test_a_memory_without_images_is_refused(
    make_config: Configs, images: npt.NDArray[np.uint8] | None
) -> None:
    with pytest.raises(EmptyDataError, match=r"model\.memory"):
        build_network(make_config(), images, RANDOM, 0)
