"""A network's state holds everything: in a fresh network it gives the same anomaly map."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from memseg.config import MethodConfig
from memseg.errors import WeightsError
from memseg.model.network import MemSegNet, load_state, restore_network, start_from

Networks = Callable[..., MemSegNet]
Configs = Callable[..., MethodConfig]
State = dict[str, torch.Tensor]


def stored(network: MemSegNet) -> State:
    """The state after a way through a safetensors file."""
    return load_tensors(save_tensors({n: v.contiguous() for n, v in network.state_dict().items()}))


def anomaly_map(network: MemSegNet, images: torch.Tensor) -> torch.Tensor:
    network.eval()
    with torch.inference_mode():
        return network.anomaly_map(images)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"model__memory": False},
        {"difference__choice": "joint"},
        {"difference__normalisation": "place"},
    ],
    ids=str,
)
def test_state_in_a_fresh_network_gives_the_same_anomaly_map(
    make_network: Networks, make_config: Configs, take_steps: Callable[..., None],
    unknown: torch.Tensor, settings: dict[str, Any],
) -> None:  # fmt: skip
    network = make_network(seed=1, **settings)
    take_steps(network, unknown)
    expected = anomaly_map(network, unknown)
    restored = restore_network(make_config(**settings), stored(network))
    assert not restored.training
    assert torch.equal(anomaly_map(restored, unknown), expected)


def test_a_start_is_all_but_the_memory(
    make_network: Networks, take_steps: Callable[..., None], unknown: torch.Tensor
) -> None:
    trained, network = make_network(seed=1), make_network(seed=2)
    take_steps(trained, unknown)
    state = stored(trained)
    state["memory.images"] = state["memory.images"] // 2
    memory = network.state_dict()["memory.images"].clone()
    start_from(network, state)
    found = stored(network)
    assert torch.equal(found.pop("memory.images"), memory)
    assert all(torch.equal(value, state[name]) for name, value in found.items())
    # Its features are those of the weights that it has now.
    assert torch.equal(
        anomaly_map(network, unknown), anomaly_map(restored_with(trained, memory), unknown)
    )


def restored_with(trained: MemSegNet, memory: torch.Tensor) -> MemSegNet:
    other = copy.deepcopy(trained)
    load_state(other, {**other.state_dict(), "memory.images": memory})
    return other


def test_a_start_of_another_network_changes_nothing(make_network: Networks) -> None:
    network = make_network(seed=2)
    before = stored(network)
    for state in (
        stored(make_network(seed=1, model__multi_scale=False)),
        {**before, "decoder.rise.0.0.weight": before["decoder.rise.0.0.weight"] * torch.nan},
    ):
        with pytest.raises(WeightsError, match="of another network"):
            start_from(network, state)
        assert all(torch.equal(value, before[name]) for name, value in stored(network).items())


def test_state_replaces_weights_and_memory_of_a_network_in_use(
    make_network: Networks, unknown: torch.Tensor
) -> None:
    network, other = make_network(seed=1), make_network(seed=2)
    state = stored(network)
    state["memory.images"] = state["memory.images"] // 2
    network.load_state_dict(state)
    expected = anomaly_map(network, unknown)
    assert not torch.equal(anomaly_map(other, unknown), expected)
    load_state(other, state)
    assert torch.equal(anomaly_map(other, unknown), expected)


def test_state_holds_memory_images_and_no_features(make_network: Networks) -> None:
    network = make_network()
    network.difference_information(torch.rand(1, 3, 64, 64))
    memory = {n: v for n, v in network.state_dict().items() if n.startswith("memory.")}
    assert list(memory) == ["memory.images"]
    assert memory["memory.images"].dtype == torch.uint8


def test_state_survives_the_change_of_memory_layout(
    make_network: Networks, make_config: Configs, unknown: torch.Tensor
) -> None:
    network = make_network()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    restored = restore_network(make_config(), stored(network))
    restored.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert torch.equal(anomaly_map(network, unknown), anomaly_map(restored, unknown))


def without(state: State, name: str) -> State:
    return {n: v for n, v in state.items() if n != name}


SOME = "decoder.rise.0.0.weight"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: without(s, SOME), f"1 missing: {SOME}"),
        (lambda s: {**s, "head.weight": torch.zeros(1)}, "1 unexpected: head.weight"),
        (lambda s: {**s, SOME: s[SOME][:5]}, rf"{SOME} is \(5, .*\), not \(256, "),
        (lambda s: {**s, SOME: s[SOME].int()}, f"of another type: {SOME}"),
        (lambda s: {**s, SOME: s[SOME] * torch.nan}, f"not finite: {SOME}"),
        (lambda s: without(s, "memory.images"), "memory.images"),
    ],
)
def test_state_of_another_network_is_refused_by_name(
    make_network: Networks, make_config: Configs, spoil: Callable[[State], State], words: str
) -> None:
    network = make_network()
    before = {n: v.clone() for n, v in network.state_dict().items()}
    state = spoil(stored(make_network(seed=1)))
    with pytest.raises(WeightsError, match=words):
        load_state(network, state)
    assert all(torch.equal(v, before[n]) for n, v in network.state_dict().items())
    with pytest.raises(WeightsError, match=words):
        restore_network(make_config(), state)


def test_state_of_a_network_with_memory_is_refused_by_one_without(
    make_network: Networks, make_config: Configs
) -> None:
    with pytest.raises(WeightsError, match=r"memory\.images"):
        restore_network(make_config(model__memory=False), stored(make_network()))
