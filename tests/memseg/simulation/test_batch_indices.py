from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.errors import EmptyDataError
from memseg.simulation.batches import batch_indices


@given(n=st.integers(1, 30), size=st.integers(1, 12), seed=st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_every_image_is_used_once_before_any_is_used_again(n: int, size: int, seed: int) -> None:
    sequence = [i for step in range(3 * n) for i in batch_indices(n, seed, "s", step, range(size))]
    for first in range(0, len(sequence) - n + 1, n):
        assert sorted(sequence[first : first + n]) == list(range(n))


@given(n=st.integers(1, 30), size=st.integers(2, 12), step=st.integers(0, 10**6), data=st.data())
@settings(max_examples=30, deadline=None)
def test_workers_with_parts_of_a_batch_see_what_one_with_all_sees(
    n: int, size: int, step: int, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, size))
    whole = batch_indices(n, 1, "s", step, range(size))
    first = batch_indices(n, 1, "s", step, range(cut), count=size)
    assert first + batch_indices(n, 1, "s", step, range(cut, size), count=size) == whole


def test_epochs_seeds_and_streams_have_orders_of_their_own() -> None:
    orders = [
        tuple(batch_indices(20, seed, stream, step, range(20)))
        for seed, stream, step in [(0, "a", 0), (0, "a", 1), (1, "a", 0), (0, "b", 0)]
    ]
    assert len(set(orders)) == 4


def test_each_image_comes_first_about_equally_often() -> None:
    first = Counter(batch_indices(4, 0, "s", step, range(4))[0] for step in range(400))
    assert all(70 <= first[i] <= 130 for i in range(4))


def test_no_images_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(EmptyDataError, match=r"memory\.samples"):
        batch_indices(0, 0, "s", 0, range(4))


def test_a_worker_that_does_not_say_how_large_the_batch_is_is_refused() -> None:
    with pytest.raises(ValueError, match="batch of 2"):
        batch_indices(9, 0, "s", 0, range(2, 4))
