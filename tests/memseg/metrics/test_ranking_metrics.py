"""AUROC, average precision and best F1: by hand, by slow references, and scikit-learn."""

import pickle
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from memseg.errors import DivergedError
from memseg.metrics.auroc import auroc
from memseg.metrics.precision import best_f1, ranking_average_precision
from memseg.metrics.ranking import rank
from memseg.metrics.undefined import UndefinedMetric

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.bool_]


def average_precision(scores: npt.ArrayLike, labels: npt.ArrayLike, unit: str = "item") -> float:
    """As metrics ask for it: of scores that are ranked once for several."""
    return ranking_average_precision(rank(scores, labels, unit))


def slow_auroc(scores: Floats, labels: Labels) -> Fraction:
    """Every anomalous item against every normal one."""
    halves = 0
    for high in scores[labels]:
        for low in scores[~labels]:
            halves += 2 if high > low else 1 if high == low else 0
    return Fraction(halves, 2 * int(labels.sum()) * int((~labels).sum()))


def slow_best_f1(scores: Floats, labels: Labels) -> tuple[Fraction, float]:
    """Every score as a threshold, from the highest."""
    best, at = Fraction(-1), 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        called = scores >= threshold
        right = int((called & labels).sum())
        f1 = Fraction(2 * right, int(called.sum()) + int(labels.sum()))
        if f1 > best:
            best, at = f1, threshold
    return best, at


@st.composite
def scored(draw: st.DrawFn) -> tuple[Floats, Labels]:
    """Scores with both classes; few levels make many ties."""
    count = draw(st.integers(2, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    levels = draw(st.sampled_from([1, 2, 5, 1000]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    random = np.random.default_rng(seed)
    scores = ((random.integers(0, levels, count) - levels // 3) / levels).astype(dtype)
    labels = random.random(count) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    assume(labels.any() and not labels.all())
    return scores, labels


@settings(max_examples=30, deadline=None)
@given(scored())
def test_auroc_is_the_share_of_pairs_in_order_and_scikit_learns(
    case: tuple[Floats, Labels],
) -> None:
    scores, labels = case
    assert auroc(scores, labels) == float(slow_auroc(scores, labels))
    assert auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(scored())
def test_average_precision_is_scikit_learns(case: tuple[Floats, Labels]) -> None:
    scores, labels = case
    expected = average_precision_score(labels, scores)
    assert average_precision(scores, labels) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(scored())
def test_best_f1_is_the_best_of_all_thresholds(case: tuple[Floats, Labels]) -> None:
    scores, labels = case
    f1, threshold = best_f1(scores, labels)
    expected, at = slow_best_f1(scores, labels)
    assert f1 == pytest.approx(float(expected), abs=1e-15)
    assert threshold == at
    assert f1 == pytest.approx(f1_score(labels, scores >= threshold))


@settings(max_examples=20, deadline=None)
@given(scored(), st.integers(0, 2**32 - 1))
def test_the_order_of_the_items_does_not_matter(case: tuple[Floats, Labels], seed: int) -> None:
    scores, labels = case
    order = np.random.default_rng(seed).permutation(len(scores))
    for metric in (auroc, average_precision, best_f1):
        assert metric(scores[order], labels[order]) == metric(scores, labels)


@settings(max_examples=20, deadline=None)
@given(scored())
def test_turning_the_scores_round_turns_auroc_round(case: tuple[Floats, Labels]) -> None:
    scores, labels = case
    assert auroc(-scores, labels) == pytest.approx(1 - auroc(scores, labels), abs=1e-15)


def test_four_scores_by_hand() -> None:
    scores, labels = [0.9, 0.6, 0.6, 0.1], [1, 0, 1, 0]
    assert auroc(scores, labels) == 3.5 / 4
    assert average_precision(scores, labels) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert best_f1(scores, labels) == (pytest.approx(0.8), 0.6)


def test_equal_scores_say_nothing() -> None:
    scores, labels = np.full(8, 0.25), np.arange(8) < 2
    assert auroc(scores, labels) == 0.5
    assert average_precision(scores, labels) == 0.25
    assert best_f1(scores, labels) == (pytest.approx(2 / 5), 0.25)


def test_perfect_scores_give_exactly_one() -> None:
    labels = np.arange(1000) >= 700
    scores = np.linspace(0, 1, 1000, dtype=np.float32)
    assert auroc(scores, labels) == 1
    assert average_precision(scores, labels) == 1
    assert best_f1(scores, labels) == (1, float(scores[700]))


def test_of_equally_good_thresholds_the_highest_is_taken() -> None:
    # at 0.9: 1 of 2 found, no false one; at 0.2: 2 of 2 found, 2 false ones: both 2/3
    assert best_f1([0.9, 0.5, 0.4, 0.2], [1, 0, 0, 1]) == (pytest.approx(2 / 3), 0.9)


def test_scores_one_float_apart_are_not_a_tie() -> None:
    above = np.nextafter(np.float32(0.5), np.float32(1))
    assert auroc(np.array([0.5, above], np.float32), [0, 1]) == 1
    assert auroc(np.array([above, 0.5], np.float32), [0, 1]) == 0


def test_zero_and_minus_zero_are_a_tie() -> None:
    assert auroc([0.0, -0.0], [1, 0]) == 0.5


def test_counts_beyond_32_bits_are_exact() -> None:
    labels = np.arange(400_000) % 2 == 0
    scores = np.arange(400_000, dtype=np.float64)
    pairs = 200_000 * 200_000
    below = sum(range(200_000))
    assert auroc(scores, labels) == below / pairs


@pytest.mark.parametrize("metric", [auroc, average_precision, best_f1])
class TestEveryMetric:
    @pytest.mark.parametrize(
        ("label", "reason"),
        [
            (False, "no anomalous test image: all 3 are normal"),
            (True, "no normal test image: all 3 are anomalous"),
        ],
    )
    def test_one_class_only_is_undefined(self, metric, label, reason) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(UndefinedMetric) as caught:
            metric([0.1, 0.2, 0.3], [label] * 3, "image")
        assert caught.value.reason == reason

    def test_no_item_is_undefined(self, metric) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(UndefinedMetric, match="there is no test image"):
            metric(np.zeros(0), np.zeros(0, bool), "image")

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_scores_that_are_not_finite_are_refused(self, metric, bad) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(DivergedError, match=r"1 of 3 image scores .* first at \[1\]"):
            metric([0.1, bad, 0.3], [0, 1, 0], "image")

    def test_shapes_that_differ_are_refused(self, metric) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(ValueError, match="labels"):
            metric(np.zeros((2, 1)), np.zeros(2, bool))

    def test_labels_other_than_0_and_1_are_refused(self, metric) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(ValueError, match="must be 0 or 1"):
            metric([0.1, 0.2], [0, 255])


def test_the_reason_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(UndefinedMetric("why"))).reason == "why"  # noqa: S301
