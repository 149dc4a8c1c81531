"""Schedules against what must hold for any of them, and against the best one by trying all."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.planning.schedule import Schedule, simulate, start_order

SECONDS = st.lists(st.floats(0.1, 1e4), max_size=60)
SLOTS = st.integers(1, 9)
NEARLY = 1 + 1e-9
"""Sums in another order differ in their last bits."""


def longest_first(seconds: list[float]) -> list[float]:
    return start_order(seconds, seconds)


@settings(max_examples=200, deadline=None)
@given(SECONDS, SLOTS, st.floats(0, 60))
def test_any_order_is_a_schedule_between_its_bounds(
    seconds: list[float], slots: int, start_up_s: float
) -> None:
    found = simulate(seconds, slots, start_up_s)
    check_each_trial_once_and_no_overlap(found, seconds)
    longest = max((start_up_s + s for s in seconds), default=0.0)
    assert found.lower_bound_s <= found.makespan_s * NEARLY
    # Graham's bound of any order in which no slot waits.
    assert found.makespan_s <= (found.busy_s / slots + (1 - 1 / slots) * longest) * NEARLY
    assert found.busy_s == pytest.approx(sum(seconds) + start_up_s * len(seconds))
    assert 0 <= found.utilisation <= NEARLY
    assert 0 < found.ratio <= NEARLY


def check_each_trial_once_and_no_overlap(found: Schedule, seconds: list[float]) -> None:
    assert [run.trial for run in found.runs] == list(range(len(seconds)))
    by_slot = defaultdict(list)
    for run in found.runs:
        assert 0 <= run.slot < found.slots
        assert run.end_s - run.start_s == pytest.approx(
            seconds[run.trial] + found.start_up_s, rel=1e-6
        )
        by_slot[run.slot].append(run)
    for runs in by_slot.values():
        assert runs[0].start_s == 0.0
        assert all(a.end_s == b.start_s for a, b in itertools.pairwise(runs))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=7), st.integers(1, 3))
def test_longest_first_is_within_four_thirds_of_the_best(seconds: list[int], slots: int) -> None:
    best = min(
        max(sum(s for s, at in zip(seconds, places) if at == slot) for slot in range(slots))
        for places in itertools.product(range(slots), repeat=len(seconds))
    )
    found = simulate(longest_first([float(s) for s in seconds]), slots)
    assert best <= found.makespan_s <= (4 / 3 - 1 / (3 * slots)) * best * NEARLY
    assert found.lower_bound_s <= best


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([1.0, 2.0, 3.0]), max_size=30))
def test_the_order_is_longest_first_and_else_as_it_was(seconds: list[float]) -> None:
    places = list(range(len(seconds)))
    order = start_order(places, seconds)
    assert sorted(order) == places
    assert order == sorted(places, key=lambda place: (-seconds[place], place))


def test_the_longest_last_would_be_waited_for() -> None:
    seconds = [1.0, 1.0, 1.0, 1.0, 4.0]
    assert simulate(seconds, 2).makespan_s == 6.0
    assert simulate(longest_first(seconds), 2).makespan_s == 4.0


def test_what_cannot_be_a_schedule_is_refused() -> None:
    for arguments in (([1.0], 0), ([-1.0], 1), ([1.0], 1, -1.0)):
        with pytest.raises(ValueError, match=r"slot|negative"):
            simulate(*arguments)
    with pytest.raises(ValueError, match="2 trials and the times of 1"):
        start_order(["a", "b"], [1.0])


def test_nothing_to_do_takes_no_time() -> None:
    found = simulate([], 8, 12.0)
    assert (found.makespan_s, found.lower_bound_s, found.ratio) == (0.0, 0.0, 1.0)
