"""How well validation ranks trials as the test set does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from orchestrator.results.agreement import agreements, judged, spearman
from orchestrator.results.agreement_text import agreement_section
from orchestrator.results.reduce import reduce_result
from tests.orchestrator.results.made import Result, result_of


@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_rank_correlation_is_scipys(pairs: list[tuple[int, int]]) -> None:
    one, other = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    found = spearman(one, other)
    if len(set(one)) < 2 or len(set(other)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(one, other).statistic)


def test_agreement_is_by_category_and_steps_and_needs_four_configurations() -> None:
    trials = [
        result_of(f"{category}{i}", category, image=0.9 + i / 100, pixel=0.9 - i / 100,
                  score=0.5 + i / 10, steps=steps, settings={"optimizer.lr": 0.01 * (i + 1)})
        for category, steps, count in (("screw", 300, 5), ("screw", 2700, 3), ("part", 300, 4))
        for i in range(count)
    ]  # fmt: skip
    found = agreements([reduce_result(trial) for trial in trials])
    assert [(one.category, one.steps, one.trials) for one in found] == [
        ("part", 300, 4), ("screw", 300, 5),
    ]  # fmt: skip
    for one in found:
        assert one.kind == "shapes"
        assert one.image == pytest.approx(1)
        assert one.pixel == pytest.approx(-1)


def test_seeds_of_one_configuration_rank_nothing() -> None:
    trials = [result_of(str(i), seed=i, image=0.9 + i / 100, score=i / 10) for i in range(6)]
    assert agreements([reduce_result(trial) for trial in trials]) == ()


def test_trials_validated_in_other_ways_are_not_ranked_together() -> None:
    def trial(i: int, contrast: float) -> Result:
        settings = {"optimizer.lr": 0.01 * i, "validation.contrast": [contrast, 0.5]}
        return reduce_result(result_of(f"{i}-{contrast}", settings=settings, image=i / 10,
                                       score=i / 20 + contrast))  # fmt: skip

    few = [trial(i, contrast) for i in (1, 2, 3) for contrast in (0.1, 0.2)]
    assert agreements(few) == ()
    found = agreements([*few, trial(4, 0.1)])
    assert [(one.kind, one.trials) for one in found] == [("shapes, validation.contrast 0.1-0.5", 4)]


def test_two_evaluations_of_the_same_weights_count_once_the_fuller_one() -> None:
    part = {"image_ap": 0.4, "pixel_ap": 0.6}
    synthetic = {"score": 0.6, "image_ap": 0.6, "pixel_ap": 0.6, "loss": 0.1}
    both = {**synthetic, "parts": {"shapes": part, "turned": part}}
    fuller = result_of("b", training_key="t", synthetic=both)
    assert judged([result_of("a", training_key="t"), fuller]) == (fuller,)
    assert judged([fuller, result_of("a", training_key="t")]) == (fuller,)
    assert judged([result_of("a", synthetic=None)]) == ()


def test_the_same_weights_validated_in_two_ways_count_in_both_and_a_default_is_named() -> None:
    trials = []
    for i in range(4):
        settings = {"optimizer.lr": 0.01 * (i + 1)}
        made = {"training_key": f"t{i}", "image": i / 10}
        trials += [
            result_of(f"a{i}", settings=settings, score=-i / 10, **made),
            result_of(f"p{i}", settings={**settings, "validation.place": "product"}, score=i / 10,
                      **made),
        ]  # fmt: skip
    found = agreements([reduce_result(trial) for trial in trials])
    assert {one.kind: (one.trials, one.image) for one in found} == {
        "shapes, validation.place anywhere": (4, pytest.approx(-1)),
        "shapes, validation.place product": (4, pytest.approx(1)),
    }


def test_a_trial_is_told_by_its_settings_that_are_not_the_default() -> None:
    special = {"optimizer.lr": 0.08, "training.precision": "bf16", "training.channels_last": False}
    trials = [result_of("a", settings=special), result_of("b", settings={"optimizer.lr": 0.04})]
    rows = agreement_section([reduce_result(trial) for trial in trials]).splitlines()
    told = {row.split(" | ")[3]: row.rsplit(" | ", 1)[1] for row in rows if row.startswith("| s")}
    assert told == {"a": "optimizer.lr 0.08 |", "b": "- |"}
