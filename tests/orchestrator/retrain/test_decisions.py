"""Who becomes champion."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.retrain.decision import Judged, decide

RATES = st.floats(0, 1)


def test_both_figures_are_in_the_reason() -> None:
    decision = decide(
        Judged("a", {"synthetic score": 0.9, "test image AUROC": 0.99}),
        Judged("b", {"synthetic score": 0.4, "test image AUROC": 0.985}),
        0.01,
    )
    assert not decision.promotes
    assert decision.reason == (
        "worse than the champion by more than 1.00: synthetic score 40.00 against 90.00"
    )


def test_a_little_worse_is_promoted_since_it_knows_newer_images() -> None:
    decision = decide(Judged("a", {"score": 0.9}), Judged("b", {"score": 0.895}), 0.01)
    assert decision.promotes
    assert "score 89.50 against 90.00" in decision.reason


@pytest.mark.parametrize("figures", [{}, {"score": None}, {"other": 0.5}])
def test_with_nothing_to_compare_the_champion_stays(figures: dict[str, float | None]) -> None:
    decision = decide(Judged("a", {"score": 0.9}), Judged("b", figures), 0.01)
    assert not decision.promotes
    assert "nothing can be compared" in decision.reason


def test_a_score_that_is_no_number_never_promotes() -> None:
    decision = decide(Judged("a", {"score": 0.1}), Judged("b", {"score": math.nan}), 1.0)
    assert not decision.promotes


@given(RATES, RATES, RATES)
def test_one_figure_decides_by_its_difference(before: float, after: float, limit: float) -> None:
    decision = decide(Judged("a", {"score": before}), Judged("b", {"score": after}), limit)
    assert decision.promotes == (after >= before - limit)


@given(st.dictionaries(st.sampled_from("abc"), st.tuples(RATES, RATES), min_size=1))
def test_a_single_worse_figure_is_enough(pairs: dict[str, tuple[float, float]]) -> None:
    decision = decide(
        Judged("a", {n: p[0] for n, p in pairs.items()}),
        Judged("b", {n: p[1] for n, p in pairs.items()}),
        0.05,
    )
    assert decision.promotes == all(after >= before - 0.05 for before, after in pairs.values())
