"""Eq. 3 and 4 against plain loops in float64."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config.method import DifferenceConfig
from memseg.model.difference import (
    choose,
    difference_information,
    distances,
    smooth,
    typical_difference,
)


def draw_levels(count: int, seed: int, channels: Sequence[int] = (2, 3, 4)) -> list[torch.Tensor]:
    random = np.random.default_rng(seed)
    sides = (8, 4, 2)
    return [
        torch.from_numpy(random.normal(size=(count, c, side, side)))
        for c, side in zip(channels, sides)
    ]


def slow_sum(one: torch.Tensor, other: torch.Tensor, distance: str) -> float:
    total = 0.0
    for a, b in zip(one.flatten().tolist(), other.flatten().tolist()):
        total += abs(a - b) if distance == "absolute" else (a - b) ** 2
    return total


def slow_choice(
    query: Sequence[torch.Tensor], memory: Sequence[torch.Tensor], config: DifferenceConfig
) -> list[list[int]]:
    levels, batch, samples = len(query), len(query[0]), len(memory[0])
    chosen: list[list[int]] = [[] for _ in range(levels)]
    for b in range(batch):
        sums = [
            [slow_sum(query[k][b], memory[k][i], config.distance) for i in range(samples)]
            for k in range(levels)
        ]
        joint = [sum(sums[k][i] for k in range(levels)) for i in range(samples)]
        for k in range(levels):
            row = joint if config.choice == "joint" else sums[k]
            chosen[k].append(row.index(min(row)))
    return chosen


READINGS = list(itertools.product(("absolute", "squared"), ("per_level", "joint")))


@pytest.mark.parametrize(("distance", "choice"), READINGS)
@pytest.mark.parametrize("wide", [torch.float64, torch.float32])
def test_difference_is_that_of_plain_loops(distance: str, choice: str, wide: torch.dtype) -> None:
    config = DifferenceConfig(distance=distance, choice=choice, factor=7.0)  # type: ignore[arg-type]
    query, memory = draw_levels(3, seed=0), draw_levels(5, seed=1)
    found = difference_information(
        [q.to(wide) for q in query], [m.to(wide) for m in memory], config
    )
    chosen = slow_choice(query, memory, config)
    for k, level in enumerate(found):
        assert level.shape == query[k].shape
        for b, c, y, x in np.ndindex(*level.shape):
            gap = abs(float(memory[k][chosen[k][b], c, y, x] - query[k][b, c, y, x]))
            expected = 7.0 * (gap if distance == "absolute" else gap**2)
            assert float(level[b, c, y, x]) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(seed=st.integers(0, 10**6), samples=st.integers(1, 6), reading=st.sampled_from(READINGS))
@settings(max_examples=30, deadline=None)
def test_choice_is_that_of_plain_loops(seed: int, samples: int, reading: tuple[str, str]) -> None:
    config = DifferenceConfig(distance=reading[0], choice=reading[1])  # type: ignore[arg-type]
    query, memory = draw_levels(2, seed), draw_levels(samples, seed + 1)
    found = [level.tolist() for level in choose(query, memory, config)]
    assert found == slow_choice(query, memory, config)


def levels_that_disagree() -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """One query at 0; sample 0 is nearest on level 1, sample 1 on levels 2 and 3 and in sum."""
    query = [torch.zeros(1, 1, 2, 2) for _ in range(3)]
    values = ((1.0, 2.0), (9.0, 1.0), (9.0, 1.0))
    memory = [torch.tensor(v).view(2, 1, 1, 1).expand(2, 1, 2, 2).contiguous() for v in values]
    return query, memory


def test_each_level_chooses_for_itself_or_all_choose_one() -> None:
    query, memory = levels_that_disagree()
    own = choose(query, memory, DifferenceConfig(choice="per_level"))
    one = choose(query, memory, DifferenceConfig(choice="joint"))
    assert [int(level) for level in own] == [0, 1, 1]
    assert [int(level) for level in one] == [1, 1, 1]


@pytest.mark.parametrize(("distance", "rounding"), [("absolute", 5e-6), ("squared", 2e-4)])
def test_sums_of_large_levels_are_those_of_float64(distance: str, rounding: float) -> None:
    random = np.random.default_rng(0)
    query = torch.from_numpy(random.normal(5, 1, (2, 64, 32, 32)))
    memory = torch.from_numpy(random.normal(5, 1, (4, 64, 32, 32)))
    gap = (query[:, None] - memory[None]).flatten(2)
    exact = (gap.abs() if distance == "absolute" else gap.square()).sum(2)
    found = distances(query.float(), memory.float(), distance)
    assert torch.allclose(found.double(), exact, rtol=rounding)


def test_squared_distance_finds_the_nearer_of_two_that_rounding_confuses() -> None:
    base = torch.from_numpy(np.random.default_rng(0).normal(100, 1, (1, 64, 16, 16))).float()
    nearer, farther = base.clone(), base.clone()
    nearer[0, 0, 0, 0] += 0.25
    farther[0, 0, 0, 0] += 0.5
    far = base + 3
    memory = torch.cat([far, farther, nearer])
    found = distances(base, memory, "squared")
    assert int(found.argmin(1)) == 2
    assert float(found[0, 2]) == pytest.approx(0.0625, rel=1e-3)


@pytest.mark.parametrize("distance", ["absolute", "squared"])
def test_distances_under_bf16_autocast_are_those_without(distance: str) -> None:
    random = np.random.default_rng(0)
    query = torch.from_numpy(random.normal(3, 1, (2, 16, 16, 16))).float()
    memory = torch.from_numpy(random.normal(3, 1, (8, 16, 16, 16))).float()
    expected = distances(query, memory, distance)
    with torch.autocast("cpu", torch.bfloat16):
        found = distances(query, memory, distance)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("side", [1, 3, 5])
def test_smoothing_is_the_mean_of_what_lies_inside(side: int) -> None:
    features = draw_levels(2, seed=3)[0]
    found, reach = smooth(features, side), side // 2
    for b, c, y, x in np.ndindex(*features.shape):
        rows = range(max(0, y - reach), min(8, y + reach + 1))
        columns = range(max(0, x - reach), min(8, x + reach + 1))
        values = [float(features[b, c, i, j]) for i in rows for j in columns]
        assert float(found[b, c, y, x]) == pytest.approx(sum(values) / len(values), abs=1e-12)


def test_smoothing_widens_bf16_and_gives_one_layout() -> None:
    features = draw_levels(2, seed=3)[0].bfloat16().contiguous(memory_format=torch.channels_last)
    for side in (1, 3):
        found = smooth(features, side)
        assert found.dtype == torch.float32
        assert found.is_contiguous()
        assert torch.equal(found, smooth(features.float().contiguous(), side))


# Normalisation (not in the paper)


def slow_typical(memory: Sequence[torch.Tensor], config: DifferenceConfig) -> list[torch.Tensor]:
    """Each sample's difference to the nearest of the others, (N, C, H, W) per level."""
    samples = len(memory[0])
    found = [torch.zeros_like(level) for level in memory]
    for i in range(samples):
        others = [j for j in range(samples) if j != i]
        chosen = slow_choice(
            [level[i : i + 1] for level in memory], [level[others] for level in memory], config
        )
        for level, into, (nearest,) in zip(memory, found, chosen):
            gap = (level[others[nearest]] - level[i]).abs()
            into[i] = gap if config.distance == "absolute" else gap**2
    return found


@pytest.mark.parametrize(("distance", "choice"), READINGS)
def test_typical_difference_is_that_of_plain_loops(distance: str, choice: str) -> None:
    level, place = (
        DifferenceConfig(distance=distance, choice=choice, normalisation=normalisation)  # type: ignore[arg-type]
        for normalisation in ("level", "place")
    )
    memory = draw_levels(4, seed=2)
    for one, everywhere, gaps in zip(
        typical_difference(memory, level),
        typical_difference(memory, place),
        slow_typical(memory, level),
    ):
        assert one.shape == (1, 1, 1, 1)
        assert float(one) == pytest.approx(float(gaps.mean()))
        assert everywhere.shape == (1, 1, *gaps.shape[2:])
        means = gaps.mean((0, 1))
        for y, x in np.ndindex(*means.shape):
            near = means[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].mean()
            expected = float(near + 0.25 * means.mean()) / 1.25
            assert float(everywhere[0, 0, y, x]) == pytest.approx(expected)


@pytest.mark.parametrize("normalisation", ["level", "place"])
@pytest.mark.parametrize("distance", ["absolute", "squared"])
def test_normalised_difference_does_not_depend_on_the_features_scale(
    normalisation: str, distance: str
) -> None:
    config = DifferenceConfig(distance=distance, normalisation=normalisation)  # type: ignore[arg-type]
    query, memory = draw_levels(3, seed=0), draw_levels(5, seed=1)
    tenfold = [[10 * level for level in levels] for levels in (query, memory)]
    found = difference_information(query, memory, config, typical_difference(memory, config))
    for one, other in zip(
        found, difference_information(*tenfold, config, typical_difference(tenfold[1], config))
    ):
        assert torch.allclose(one, other)


def test_a_normal_image_like_the_samples_has_a_mean_difference_of_about_the_factor() -> None:
    config = DifferenceConfig(normalisation="level", factor=10.0)
    memory, query = draw_levels(6, seed=0, channels=(64, 64, 64)), draw_levels(40, 1, (64, 64, 64))
    for level in difference_information(query, memory, config, typical_difference(memory, config)):
        assert float(level.mean()) == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("normalisation", ["level", "place"])
def test_copies_of_one_image_give_a_finite_difference(normalisation: str) -> None:
    config = DifferenceConfig(normalisation=normalisation)  # type: ignore[arg-type]
    memory = [level[:1].repeat(3, 1, 1, 1) for level in draw_levels(1, seed=0)]
    query = draw_levels(2, seed=1)
    for level in difference_information(query, memory, config, typical_difference(memory, config)):
        assert torch.isfinite(level).all()
