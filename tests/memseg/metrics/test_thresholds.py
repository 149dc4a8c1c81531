"""Thresholds for a false positive rate: against their definition, and what cannot be had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.config import MethodConfig, build
from memseg.errors import DivergedError, SettingError
from memseg.metrics.rates import can_have_rate, check_rates, least_rate
from memseg.metrics.thresholds import rate_threshold


def test_the_highest_of_19_scores_gives_5_per_cent() -> None:
    scores = np.arange(19) / 100
    found = rate_threshold(scores, 0.05)
    assert found.threshold == np.nextafter(0.18, 1)
    assert (found.bound, found.normal, found.above) == (0.05, 19, 0)
    # With one score more the same rate has the same k, and a lower bound.
    assert rate_threshold(np.arange(20) / 100, 0.05).bound == 1 / 21


def test_a_higher_rate_takes_a_lower_score() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.7])
    thresholds = [rate_threshold(scores, rate).threshold for rate in (0.2, 0.4, 0.6, 0.8, 0.99)]
    assert thresholds == [float(np.nextafter(s, 1)) for s in (0.9, 0.7, 0.5, 0.1, 0.1)]


def test_float32_scores_are_compared_as_they_are() -> None:
    scores = np.array([0.1, 0.2, 0.3], np.float32)
    found = rate_threshold(scores, 0.25)
    assert np.float32(found.threshold) == found.threshold
    assert not (scores >= found.threshold).any()
    assert np.nextafter(scores[2], np.float32(1)) >= found.threshold


@pytest.mark.parametrize("n", [1, 2, 6, 18, 19, 32, 99, 1000])
def test_the_least_rate_is_one_of_one_more(n: int) -> None:
    assert least_rate(n) == 1 / (n + 1)
    scores = np.linspace(1, 0, n)
    assert rate_threshold(scores, 1 / (n + 1)).threshold > 1
    with pytest.raises(SettingError, match=r"the least is 1/\(n\+1\), here"):
        rate_threshold(scores, 0.999 / (n + 1))


@pytest.mark.parametrize("rate", [0, 1, -0.1, 1.5])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(SettingError, match="above 0 and below 1"):
        rate_threshold(np.arange(100.0), rate)


def test_no_score_and_scores_that_are_not_finite_are_errors() -> None:
    with pytest.raises(SettingError, match="from 0 normal images"):
        rate_threshold(np.zeros(0), 0.5, "image")
    with pytest.raises(DivergedError, match="not finite"):
        rate_threshold(np.array([0.1, np.nan]), 0.5)


scores_of_normal = st.lists(
    st.floats(0, 1, width=32) | st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=60
)


@settings(max_examples=200, deadline=None)
@given(scores_of_normal, st.floats(0.001, 0.5))
def test_the_rate_is_kept_and_no_lower_threshold_keeps_it(values: list[float], rate: float) -> None:
    scores = np.array(values)
    n = len(scores)
    if not can_have_rate(rate, n):
        with pytest.raises(SettingError):
            rate_threshold(scores, rate)
        return
    found = rate_threshold(scores, rate)
    k = round(found.bound * (n + 1))
    assert 1 <= k <= n
    assert found.bound <= rate * (1 + 1e-6)
    assert found.above == (scores >= found.threshold).sum() <= k - 1
    lower = np.nextafter(found.threshold, -1)
    assert (scores >= lower).sum() >= k


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=25), st.floats(0.04, 0.5))
def test_each_left_out_score_is_called_anomalous_as_seldom_as_was_promised(
    values: list[float], rate: float
) -> None:
    """The promise itself: over all choices of the one that is new among n + 1."""
    scores = np.array(values)
    n = len(scores) - 1
    if not can_have_rate(rate, n):
        return
    called = [
        scores[new] >= rate_threshold(np.delete(scores, new), rate).threshold
        for new in range(n + 1)
    ]
    assert np.mean(called) <= rate + 1e-9


def rates(**flat: float) -> MethodConfig:
    return build(MethodConfig, {f"evaluation.{name}": value for name, value in flat.items()})


def test_a_rate_that_was_asked_for_needs_its_images() -> None:
    check_rates(rates(false_positive_rate=0.1).evaluation, 9, 64)
    with pytest.raises(SettingError, match=r"false_positive_rate 0.1 needs at least 9 .* are 8:"):
        check_rates(rates(false_positive_rate=0.1).evaluation, 8, 64)
    with pytest.raises(SettingError, match=r"pixel_false_positive_rate 1e-06 .* normal pixels"):
        check_rates(rates(pixel_false_positive_rate=1e-6).evaluation, 9, 64)
    with pytest.raises(SettingError, match="held_out_share"):
        check_rates(rates(false_positive_rate=0.5).evaluation, 0, 64)


@pytest.mark.parametrize("held_out", [0, 1, 6])
def test_the_default_asks_for_nothing(held_out: int) -> None:
    check_rates(MethodConfig().evaluation, held_out, 256)
