"""Parameters and operations, beside counts by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from memseg.config.method import DifferenceConfig
from memseg.model.network import MemSegNet
from memseg.timing.flops import (
    BOTTLENECK,
    COMPARISON,
    DECODER,
    FUSION,
    TRUNK,
    comparison_flops,
    count_flops,
    count_parameters,
)
from memseg.training.execution import make_execution

EXECUTION = make_execution("cpu", "fp32", channels_last=True)


def test_operations_are_two_for_each_multiply_add_of_a_convolution(network: MemSegNet) -> None:
    by_hand = {"trunk": 0, "bottleneck": 0, "fusion": 0, "decoder": 0}

    def count(part: str):  # type: ignore[no-untyped-def]
        def hook(layer: nn.Conv2d, _: object, out: torch.Tensor) -> None:
            by_hand[part] += 2 * out.numel() * layer.weight[0].numel()

        return hook

    hooks = [
        module.register_forward_hook(count(name.partition(".")[0]))
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))  # features of the memory, where they are not there
        by_hand.update(dict.fromkeys(by_hand, 0))
        network(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    found = dict(count_flops(network, 64, EXECUTION))
    assert found.pop(COMPARISON) == comparison_flops(network.difference, 3, 64)
    assert found == {
        TRUNK: by_hand["trunk"],
        BOTTLENECK: by_hand["bottleneck"],
        FUSION: by_hand["fusion"],
        DECODER: by_hand["decoder"],
    }


def test_the_comparison_at_the_papers_size() -> None:
    elements = 64 * 64 * 64 + 128 * 32 * 32 + 256 * 16 * 16
    assert comparison_flops(DifferenceConfig(), 30, 256) == elements * (9 + 90 + 3)
    no_smoothing = DifferenceConfig(smoothing=1, normalisation="level")
    assert comparison_flops(no_smoothing, 30, 256) == elements * (90 + 3 + 1)
    squared = DifferenceConfig(distance="squared")
    assert comparison_flops(squared, 30, 256) == elements * (9 + 60 + 6 + 3)


def test_the_trunk_is_frozen_and_the_rest_is_trained(network: MemSegNet) -> None:
    counted = count_parameters(network)
    assert counted.frozen == sum(p.numel() for p in network.trunk.parameters())
    assert counted.trained + counted.frozen == sum(p.numel() for p in network.parameters())
    assert counted.trained == pytest.approx(18.2e6, rel=0.01)
