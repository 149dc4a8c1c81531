"""Memory samples that represent the others: greedy, in one order, by features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.model.backbone import Trunk
from memseg.model.network import MemSegNet
from memseg.model.selection import feature_distances, representative_order


def slow_order(between: list[list[float]], count: int) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < count:
        best, least = -1, float("inf")
        for i in range(len(between)):
            if i in chosen:
                continue
            total = sum(min(row[j] for j in [*chosen, i]) for row in between)
            if total < least:
                best, least = i, total
        chosen.append(best)
    return chosen


@given(n=st.integers(1, 8), seed=st.integers(0, 10**6), data=st.data())
@settings(max_examples=40, deadline=None)
def test_order_is_that_of_plain_loops_and_smaller_memories_are_its_beginning(
    n: int, seed: int, data: st.DataObject
) -> None:
    places = np.random.default_rng(seed).integers(0, 1000, (n, 2))
    between = np.abs(places[:, None] - places[None]).sum(2).astype(np.float64)  # sums are exact
    count = data.draw(st.integers(1, n))
    found = representative_order(between, count)
    assert found == slow_order(between.tolist(), count)
    assert len(set(found)) == count
    assert representative_order(between, n)[:count] == found


def test_two_groups_are_both_represented_before_a_stray_image_is() -> None:
    places = np.array([0.0, 1, 2, 3, 100, 101, 102, 103, 130])
    between = np.abs(places[:, None] - places[None])
    first, second = representative_order(between, 2)
    assert {first < 4, second < 4} == {True, False}
    assert 8 not in (first, second)


def test_copies_of_one_image_can_all_be_chosen() -> None:
    assert representative_order(np.zeros((4, 4)), 4) == [0, 1, 2, 3]


@pytest.mark.parametrize("n", [1, 5, 17])
def test_distances_are_sums_over_levels_that_weigh_the_same(
    make_network: Callable[..., MemSegNet], n: int
) -> None:
    images: npt.NDArray[np.uint8] = np.random.default_rng(n).integers(
        0, 256, (n, 3, 64, 64), dtype=np.uint8
    )
    images[-1] = images[0]
    trunk = make_network().trunk
    found = feature_distances(trunk, images)
    assert found.shape == (n, n)
    assert np.allclose(found, found.T)
    assert np.allclose(np.diag(found), 0)
    assert np.allclose(found[0], found[-1], atol=1e-4)  # batches of other sizes round otherwise
    if n > 1:
        assert found.mean() == pytest.approx(3)  # three levels, each with a mean of one
    if n == 5:
        assert np.allclose(found, plain_distances(trunk, images), atol=1e-4)


def plain_distances(trunk: Trunk, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Pair by pair and level by level; levels 1 and 2 are means of 2 by 2, level 3 is as it is."""
    total = np.zeros((len(images), len(images)))
    for level, side in enumerate((2, 2, 1)):
        features = trunk(torch.from_numpy(images).float() / 255)[1][level].double().numpy()
        n, channels, rows, columns = features.shape
        blocks = features.reshape(n, channels, rows // side, side, columns // side, side)
        pooled = blocks.mean((3, 5))
        pairs = [[np.abs(one - other).mean() for other in pooled] for one in pooled]
        total += np.array(pairs) / np.mean(pairs)
    return total
