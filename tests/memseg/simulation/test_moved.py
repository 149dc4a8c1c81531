"""Moved parts: a large part of the image in a wrong place (not in the paper)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config.method import SimulationConfig
from memseg.simulation.moved import MovedDraw, draw_moved, moved_part
from memseg.simulation.randomness import generator
from memseg.simulation.region import CHANGED, LEAST_SHARE, Region
from memseg.simulation.simulate import Simulator

SIZE = (0.1, 0.35)


def moving(
    textures: torch.Tensor, seed: int = 0, share: float = 1.0, texture_share: float = 0.0
) -> Simulator:
    config = SimulationConfig(texture_share=texture_share, moved_share=share)
    return Simulator(config, textures, seed, "cpu")


def slow_moved(image: torch.Tensor, draw: MovedDraw) -> torch.Tensor:
    """Pixel by pixel: each shows the one ``shift`` before it, the edge being a mirror."""
    side = image.shape[-1]

    def shown(place: int, shift: float, mirror: bool) -> int:
        at = place - round(shift * side)
        while not 0 <= at < side:
            at = -1 - at if at < 0 else 2 * side - 1 - at
        return side - 1 - at if mirror else at

    out = torch.zeros_like(image)
    for y, x in np.ndindex(side, side):
        row = shown(y, draw.shift[0], draw.mirror[0])
        column = shown(x, draw.shift[1], draw.mirror[1])
        out[:, y, x] = image[:, row, column]
    return out


def in_region(region: Region, side: int, y: int, x: int) -> bool:
    down, right = (y + 0.5) / side - region.centre[0], (x + 0.5) / side - region.centre[1]
    along = math.cos(region.angle) * right + math.sin(region.angle) * down
    across = -math.sin(region.angle) * right + math.cos(region.angle) * down
    power = region.roundness
    return abs(along / region.radii[0]) ** power + abs(across / region.radii[1]) ** power <= 1


@pytest.mark.parametrize("seed", range(4))
def test_source_and_region_are_those_of_plain_loops(images: torch.Tensor, seed: int) -> None:
    draw = draw_moved(np.random.default_rng(seed), SIZE)
    small = images[seed][:, ::2, ::2]
    everywhere = torch.ones(32, 32, dtype=torch.bool)
    source, mask = moved_part(small, everywhere, draw)
    assert torch.equal(source, slow_moved(small, draw))
    inside = draw.region.mask(32, small.device)
    for y, x in np.ndindex(32, 32):
        assert bool(inside[y, x]) == in_region(draw.region, 32, y, x)
        change = (source - small).abs().mean(0)[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        assert bool(mask[y, x]) == bool(inside[y, x] and change.mean() > CHANGED)


@given(seed=st.integers(0, 10**6))
def test_draws_keep_their_ranges(seed: int) -> None:
    draw = draw_moved(np.random.default_rng(seed), SIZE)
    area = math.sqrt(draw.region.radii[0] * draw.region.radii[1])
    assert 0.1 <= area <= 0.35 + 1e-9
    assert 0.1 <= math.hypot(*draw.shift) <= 0.5 + 1e-9
    assert all(0 <= place <= 1 for place in draw.region.centre)


def test_what_looks_the_same_after_the_move_is_not_anomalous(images: torch.Tensor) -> None:
    draw = draw_moved(np.random.default_rng(0), (0.3, 0.3))
    everywhere = torch.ones(64, 64, dtype=torch.bool)
    assert moved_part(images[0], everywhere, draw)[1].any()
    assert not moved_part(torch.full((3, 64, 64), 0.5), everywhere, draw)[1].any()


@given(seed=st.integers(0, 10**6), step=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_moved_anomalies_lie_in_the_foreground_and_change_nothing_else(
    images: torch.Tensor, foregrounds: torch.Tensor, textures: torch.Tensor, seed: int, step: int
) -> None:
    simulator = moving(textures, seed)
    found, masks = simulator(images, foregrounds, step, range(4))
    assert masks.flatten(1).any(1).all()
    assert not masks.bool()[~foregrounds].any()
    outside = ~masks.bool()[:, None].expand_as(found)
    assert torch.equal(found[outside], images[outside])
    for position in range(4):
        alone = moving(textures, seed)(
            images[[position]], foregrounds[[position]], step, [position]
        )
        assert torch.equal(alone[0][0], found[position])


def test_a_moved_part_is_there_in_full_and_large(
    images: torch.Tensor, textures: torch.Tensor
) -> None:
    simulator = moving(textures)
    everywhere = torch.ones(1, 64, 64, dtype=torch.bool)
    for step in range(20):
        found, masks = simulator(images[:1], everywhere, step, [0])
        random = generator(0, "moved part", step, 0, 0)
        source, mask = moved_part(images[0], everywhere[0], draw_moved(random, SIZE))
        if mask.sum() < LEAST_SHARE * mask.numel():
            continue
        assert torch.equal(masks[0].bool(), mask)
        assert torch.equal(found[0][:, mask], source[:, mask])


def test_the_share_is_kept_and_textures_are_not_moved(
    images: torch.Tensor, textures: torch.Tensor
) -> None:
    everywhere = torch.ones(4, 64, 64, dtype=torch.bool)
    counts = {}
    for share in (0.0, 0.5, 1.0):
        plain, other = (moving(textures, 0, part, texture_share=0.5) for part in (0.0, share))
        changed = 0
        for step in range(50):
            without = plain(images, everywhere, step, range(4))[0]
            moved = other(images, everywhere, step, range(4))[0]
            changed += int((without != moved).flatten(1).any(1).sum())
        counts[share] = changed
    assert counts[0.0] == 0
    assert 30 <= counts[0.5] <= 70  # of 200, of which about a half is structural
    assert 80 <= counts[1.0] <= 120


def test_an_image_that_is_alike_everywhere_gets_an_ordinary_anomaly(textures: torch.Tensor) -> None:
    grey = torch.full((1, 3, 64, 64), 0.5)
    everywhere = torch.ones(1, 64, 64, dtype=torch.bool)
    plain, other = moving(textures, 0, 0.0), moving(textures)
    for a, b in zip(plain(grey, everywhere, 3, [1]), other(grey, everywhere, 3, [1])):
        assert torch.equal(a, b)
