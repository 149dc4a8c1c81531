import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.simulation.randomness import generator


def test_the_same_place_draws_the_same_whatever_was_drawn_before() -> None:
    first = generator(3, "mask", 10, 2).random(5)
    generator(3, "mask", 10, 1).random(100)
    np.random.default_rng().random(7)
    np.testing.assert_array_equal(generator(3, "mask", 10, 2).random(5), first)


def test_another_seed_stream_or_counter_draws_something_else() -> None:
    places = [
        (3, "mask", 10, 2), (4, "mask", 10, 2), (3, "source", 10, 2), (3, "mask", 11, 2),
        (3, "mask", 10, 3), (3, "mask", 2, 10), (3, "mask", 10), (31, "mask", 0, 2),
        (3, "mask", 102), (10, "mask", 3, 2), (-3, "mask", 10, 2),
    ]  # fmt: skip
    drawn = [generator(*place).random() for place in places]
    assert all(a != b for a, b in itertools.combinations(drawn, 2))


@given(seed=st.integers(), counter=st.integers())
@settings(max_examples=25, deadline=None)
def test_any_whole_numbers_are_a_place(seed: int, counter: int) -> None:
    value = generator(seed, "any", counter).random()
    assert 0 <= value < 1
    assert generator(seed, "any", counter).random() == value


def test_numpy_integers_are_the_same_place_as_pythons() -> None:
    assert generator(int(np.int64(5)), "a", 7).random() == generator(5, "a", np.int32(7)).random()


def test_global_random_state_is_neither_read_nor_changed() -> None:
    before = np.random.get_state()[1].copy()
    generator(0, "mask", 1).random(10)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_drawn_numbers_stay_what_they_are() -> None:
    """A change here changes every trial: raise METHOD_VERSION with it."""
    assert generator(0, "anomaly mask", 1, 2, 3).integers(0, 1000, 6).tolist() == PINNED


PINNED = [55, 784, 18, 942, 918, 780]
