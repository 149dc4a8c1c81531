"""The network's forward pass against its parts put together plainly (figure 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from memseg.model.network import MemSegNet

Networks = Callable[..., MemSegNet]
Levels = list[torch.Tensor]

FACTOR, FEATURE_FACTOR = 1.5, 2.5


@pytest.fixture
def make_calibrated(make_network: Networks, known: torch.Tensor) -> Networks:
    """Networks in eval mode whose BatchNorm has seen images: no part's output is negligible."""

    def make(**settings: Any) -> MemSegNet:
        network = make_network(
            difference__factor=FACTOR, difference__feature_factor=FEATURE_FACTOR, **settings
        )
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        network.train()
        with torch.no_grad():
            network(known.flip(3) * 0.8 + 0.1)
        return network.eval()

    return make


def pooled(features: torch.Tensor) -> torch.Tensor:
    """Means of 3x3, at the border of what lies inside."""
    padded = functional.pad(features, (1, 1, 1, 1), value=float("nan")).numpy()
    height, width = features.shape[2:]
    shifted = [padded[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return torch.from_numpy(np.nanmean(np.stack(shifted), axis=0))


def difference(features: Levels, memory: Levels) -> Levels:
    """DI*: to the nearest sample of each level by the sum of absolute differences (eq. 3, 4)."""
    found = []
    for query, samples in zip(map(pooled, features), map(pooled, memory)):
        rows = []
        for image in query:
            gaps = [(sample - image).abs() for sample in samples]
            rows.append(min(gaps, key=lambda gap: float(gap.double().sum())))
        found.append(torch.stack(rows) * FACTOR)
    return found


def usual(memory: Levels) -> list[float]:
    """Mean difference of the memory's samples to the nearest of the others, for each level."""
    found = []
    for samples in map(pooled, memory):
        nearest = []
        for i, one in enumerate(samples):
            others = [(s - one).abs() for j, s in enumerate(samples) if j != i]
            nearest.append(float(min(others, key=lambda gap: float(gap.double().sum())).mean()))
        found.append(sum(nearest) / len(nearest))
    return found


def attention(found: Levels, m1_from: str, geometric: bool = False) -> Levels:
    """M1, M2, M3 (eq. 5-7), or their roots."""

    def up(x: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(x, scale_factor=2.0, mode="bilinear")

    first, second, third = (level.mean(1, keepdim=True) for level in found)
    middle = second * up(third)
    maps = [first * up(middle if m1_from == "m2" else up(third)), middle, third]
    if not geometric:
        return maps
    factors = 3 if m1_from == "m2" else 2
    return [maps[0] ** (1 / factors), middle ** (1 / 2), third]


def compose(
    network: MemSegNet,
    images: torch.Tensor,
    known: torch.Tensor,
    *,
    memory: bool = True,
    spatial: bool = True,
    m1_from: str = "m2",
    geometric: bool = False,
    normalised: bool = False,
    wrong: str = "",
) -> torch.Tensor:
    """The network's logits from its parts; ``wrong`` names one step to do otherwise."""
    with torch.no_grad():
        stem, features = network.trunk(images)
        scaled = [level * FEATURE_FACTOR for level in features]
        source = scaled if wrong == "scaled bottleneck" else features
        bottleneck = network.bottleneck(source[2])
        if wrong == "unscaled features":
            scaled = features
        if not memory:
            fused = network.fusion(scaled)
        else:
            samples = network.trunk(known)[1]
            gaps = difference(features, samples)
            if normalised:
                gaps = [gap / typical for gap, typical in zip(gaps, usual(samples))]
            order = slice(None, None, -1 if wrong == "difference first" else 1)
            fused = network.fusion([torch.cat([f, d][order], 1) for f, d in zip(scaled, gaps)])
            if spatial:
                maps = attention(gaps, m1_from, geometric)
                fused = [f * m for f, m in zip(fused, maps)]
        if wrong == "weighed stem":
            stem = stem * maps[0].mean()
        logits: torch.Tensor = network.decoder(bottleneck, [fused[2], fused[1], fused[0], stem])
        return logits


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference, as a share of how much the logits vary."""
    return float((a - b).abs().max() / b.std())


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ({}, {}),
        ({"model__m1_from": "m3"}, {"m1_from": "m3"}),
        ({"model__spatial_attention": False}, {"spatial": False}),
        ({"model__memory": False}, {"memory": False}),
        ({"difference__normalisation": "level"}, {"normalised": True}),
        ({"model__attention_mean": "geometric"}, {"geometric": True}),
        (
            {"model__attention_mean": "geometric", "model__m1_from": "m3"},
            {"geometric": True, "m1_from": "m3"},
        ),
        ({"model__multi_scale": False, "model__coordinate_attention": False}, {}),
    ],
    ids=str,
)
def test_logits_are_those_of_the_parts_put_together(
    make_calibrated: Networks,
    unknown: torch.Tensor,
    known: torch.Tensor,
    settings: dict[str, Any],
    changed: dict[str, Any],
) -> None:
    network = make_calibrated(**settings)
    with torch.no_grad():
        found = network(unknown)
    assert distance(found, compose(network, unknown, known, **changed)) < 1e-3


@pytest.mark.parametrize(
    "change",
    [
        {"wrong": "scaled bottleneck"},
        {"wrong": "unscaled features"},
        {"wrong": "difference first"},
        {"wrong": "weighed stem"},
        {"spatial": False},
        {"m1_from": "m3"},
        {"geometric": True},
        {"normalised": True},
    ],
    ids=str,
)
def test_each_step_shows_in_the_logits(
    make_calibrated: Networks, unknown: torch.Tensor, known: torch.Tensor, change: dict[str, Any]
) -> None:
    """So that the comparison above could not miss it."""
    network = make_calibrated()
    with torch.no_grad():
        found = network(unknown)
    assert distance(found, compose(network, unknown, known, **change)) > 1e-2
