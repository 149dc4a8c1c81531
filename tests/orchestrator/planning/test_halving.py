"""Which trials are stopped early."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memseg.config import MethodConfig, build
from orchestrator.planning.halving import Halving, goes_on, in_no_order, rung_steps
from orchestrator.planning.trial import Inputs, Trial

SCORES = st.lists(st.floats(0, 1), max_size=60)


@pytest.mark.parametrize(
    ("reduction", "rungs", "max_steps", "steps"),
    [(3, 2, 2700, (300, 900)), (3, 1, 2700, (900,)), (4, 3, 2700, (42, 168, 675)),
     (3, 5, 10, (1, 3)), (2, 4, 1, ()), (10, 2, 9, ())],
)  # fmt: skip
def test_rungs_lie_before_the_last_step(
    reduction: int, rungs: int, max_steps: int, steps: tuple[int, ...]
) -> None:
    assert rung_steps(Halving(reduction, rungs), max_steps) == steps


@given(earlier=SCORES, reduction=st.integers(2, 5))
def test_the_best_so_far_goes_on_always(earlier: list[float], reduction: int) -> None:
    assert goes_on(max(earlier, default=0.0), earlier, reduction)


@given(earlier=SCORES, one=st.floats(0, 1), two=st.floats(0, 1), reduction=st.integers(2, 5))
def test_a_better_score_is_never_the_reason_to_stop(
    earlier: list[float], one: float, two: float, reduction: int
) -> None:
    low, high = sorted((one, two))
    assert goes_on(high, earlier, reduction) or not goes_on(low, earlier, reduction)


@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=60, unique=True),
       reduction=st.integers(2, 5))  # fmt: skip
def test_the_best_of_all_goes_on_in_whatever_order_they_come(
    scores: list[float], reduction: int
) -> None:
    on = {s for i, s in enumerate(scores) if goes_on(s, scores[:i], reduction)}
    assert max(scores) in on


@pytest.mark.parametrize("seed", range(5))
def test_of_trials_in_no_order_about_one_in_three_goes_on(seed: int) -> None:
    scores = [i / 144 for i in range(144)]
    random.Random(seed).shuffle(scores)
    assert 40 <= sum(goes_on(s, scores[:i], 3) for i, s in enumerate(scores)) <= 62


def test_order_decides_how_many_go_on_so_it_is_no_plan_order() -> None:
    """Why a sweep must not start trials from the expected worst to the best, or reversed."""
    rising = [i / 90 for i in range(90)]
    assert all(goes_on(s, rising[:i], 3) for i, s in enumerate(rising))
    falling = rising[::-1]
    assert sum(goes_on(s, falling[:i], 3) for i, s in enumerate(falling)) == 1


def test_trials_start_in_the_order_of_their_keys_within_each_category() -> None:
    def trial(category: str, lr: float) -> Trial:
        method = build(MethodConfig, {"optimizer.lr": lr, "training.precision": "fp32"})
        return Trial(category, 0, method, Inputs("a", "b", "c", "d"))

    rates = [0.01 * i for i in range(1, 9)]
    trials = [trial(category, lr) for category in ("tile", "carpet") for lr in rates]
    found = in_no_order(trials)
    assert found == sorted(trials, key=lambda t: (t.category != "tile", t.key))
    assert found != trials
