"""Which trial and which configuration win."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.aggregation.selection import (
    FIRST_PLANNED,
    ONLY_TRIAL,
    ORACLE,
    SYNTHETIC,
    best_on_average,
    best_per_category,
)
from orchestrator.aggregation.winners import weights_to_drop
from orchestrator.ledger.ledger import Failed
from orchestrator.planning.plan import Plan

Make = Callable[..., Any]


def chosen(plan: Plan, records: Any, category: str = "screw") -> tuple[float, int, str]:
    choice = best_per_category(plan, records)[category]
    trial = choice.winner.trial
    return trial.method.optimizer.lr, trial.seed, choice.by


def test_the_synthetic_score_chooses_whatever_the_test_set_says(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of()
    records = records_of(plan, {
        ("screw", 0.02, 0): {"score": 0.6, "image": 0.5},
        ("screw", 0.04, 0): {"score": 0.5, "image": 1.0},
    })  # fmt: skip
    assert chosen(plan, records) == (0.02, 0, SYNTHETIC)


def test_the_test_set_chooses_only_when_asked_and_is_called_oracle(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(selection="test")
    records = records_of(plan, {
        ("screw", 0.02, 0): {"score": 0.6, "image": 0.5},
        ("screw", 0.04, 0): {"score": 0.5, "image": 1.0},
    })  # fmt: skip
    assert chosen(plan, records) == (0.04, 0, ORACLE)
    records = records_of(plan, {
        ("screw", 0.02, 0): {"image": 0.9, "pixel": 0.7},
        ("screw", 0.04, 0): {"image": 0.9, "pixel": 0.6},
    })  # fmt: skip
    assert chosen(plan, records)[0] == 0.02


def test_ties_go_to_the_lower_loss_and_then_to_the_smaller_key(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of()
    records = records_of(plan, {
        ("screw", 0.02, 0): {"score": 0.6, "loss": 0.2},
        ("screw", 0.04, 0): {"score": 0.6, "loss": 0.1},
    })  # fmt: skip
    assert chosen(plan, records)[0] == 0.04
    winner = best_per_category(plan, records_of(plan))["screw"].winner.trial
    assert winner.key == min(t.key for t in plan.trials)


def test_nothing_held_out_never_falls_back_on_the_test_set(plan_of: Make, records_of: Make) -> None:
    plan = plan_of()
    records = records_of(plan, {
        ("screw", 0.02, 0): {"score": None, "image": 0.5},
        ("screw", 0.04, 0): {"score": None, "image": 1.0},
    })  # fmt: skip
    assert chosen(plan, records) == (0.02, 0, FIRST_PLANNED)
    one = plan_of(rates=(0.04,))
    assert chosen(one, records_of(one, {("screw", 0.04, 0): {"score": None}}))[2] == ONLY_TRIAL


def test_one_trial_without_a_score_makes_all_incomparable(plan_of: Make, records_of: Make) -> None:
    plan = plan_of()
    records = records_of(plan, {
        ("screw", 0.02, 0): {"score": None}, ("screw", 0.04, 0): {"score": 0.9},
    })  # fmt: skip
    assert chosen(plan, records) == (0.02, 0, FIRST_PLANNED)


def test_an_oracle_without_a_defined_metric_cannot_choose(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(selection="test")
    none = {"image": None, "pixel": None, "score": 0.5}
    records = records_of(plan, {("screw", 0.02, 0): none, ("screw", 0.04, 0): none})
    assert chosen(plan, records) == (0.02, 0, FIRST_PLANNED)


def test_configurations_are_compared_by_their_mean_over_seeds(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(seeds=(0, 1))
    records = records_of(plan, {
        ("screw", 0.02, 0): {"score": 0.9}, ("screw", 0.02, 1): {"score": 0.1},
        ("screw", 0.04, 0): {"score": 0.6}, ("screw", 0.04, 1): {"score": 0.7},
    })  # fmt: skip
    assert chosen(plan, records) == (0.04, 1, SYNTHETIC)
    assert [t.trial.seed for t in best_per_category(plan, records)["screw"].seeds] == [0, 1]


def test_a_configuration_with_fewer_finished_seeds_does_not_compete(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(seeds=(0, 1))
    records = records_of(plan, {
        ("screw", 0.02, 0): {"score": 0.9},
        ("screw", 0.04, 0): {"score": 0.6}, ("screw", 0.04, 1): {"score": 0.5},
    })  # fmt: skip
    assert chosen(plan, records) == (0.04, 0, SYNTHETIC)


def test_failed_and_pending_trials_are_no_candidates(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile"))
    records = records_of(plan, {("screw", 0.02, 0): {}})
    records[plan.trials[1].key] = Failed({"kind": "bug"})
    assert list(best_per_category(plan, records)) == ["screw"]
    assert chosen(plan, records)[0] == 0.02
    assert best_per_category(plan, {}) == {}
    assert best_on_average(plan, {}) is None


def test_best_on_average_can_be_best_nowhere(plan_of: Make, records_of: Make) -> None:
    plan = plan_of(("screw", "tile"), rates=(0.01, 0.02, 0.04))
    records = records_of(plan, {
        ("screw", 0.01, 0): {"score": 0.9}, ("tile", 0.01, 0): {"score": 0.1},
        ("screw", 0.02, 0): {"score": 0.7}, ("tile", 0.02, 0): {"score": 0.7},
        ("screw", 0.04, 0): {"score": 0.1}, ("tile", 0.04, 0): {"score": 0.9},
    })  # fmt: skip
    average = best_on_average(plan, records)
    assert average is not None
    assert average.grid == {"optimizer.lr": 0.02}
    assert average.score == pytest.approx(0.7)
    assert {c: x.winner.trial.method.optimizer.lr for c, x in average.choices.items()} == {
        "screw": 0.02, "tile": 0.02,
    }  # fmt: skip


def test_best_on_average_ranks_only_what_all_categories_have_finished(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "tile"), seeds=(0, 1))
    everything = {(c, lr, s): {"score": 0.9 if lr == 0.02 else 0.5}
                  for c in ("screw", "tile") for lr in (0.02, 0.04) for s in (0, 1)}  # fmt: skip
    del everything["tile", 0.02, 1]
    average = best_on_average(plan, records_of(plan, everything))
    assert average is not None
    assert average.grid == {"optimizer.lr": 0.04}
    del everything["screw", 0.04, 0]
    assert best_on_average(plan, records_of(plan, everything)) is None


def test_best_on_average_goes_on_without_a_category_that_has_nothing(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "tile"), problems={"tile": "corrupt"})
    average = best_on_average(plan, records_of(plan))
    assert average is not None
    assert list(average.choices) == ["screw"]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_selection_agrees_with_looking_at_everything(
    plan_of: Make, records_of: Make, data: st.DataObject
) -> None:
    """The slow way: sort all means; and the order of records changes nothing."""
    names, rates, seeds = ("screw", "tile"), (0.01, 0.02, 0.04), (0, 1)
    plan = plan_of(names, rates, seeds)
    score = st.sampled_from([0.25, 0.5, 0.75])
    results = {(c, lr, s): {"score": data.draw(score), "loss": data.draw(score)}
               for c in names for lr in rates for s in seeds}  # fmt: skip
    records = records_of(plan, results)
    keys = {(t.category, t.method.optimizer.lr, t.seed): t.key for t in plan.trials}

    def mean(name: str, places: list[tuple[str, float, int]]) -> float:
        return statistics.fmean(results[p][name] for p in places)

    for c in names:
        ranked = sorted(
            rates,
            key=lambda lr: (
                -mean("score", [(c, lr, s) for s in seeds]),
                mean("loss", [(c, lr, s) for s in seeds]),
                min(keys[c, lr, s] for s in seeds),
            ),
        )
        best_seed = min(seeds, key=lambda s: (
            -results[c, ranked[0], s]["score"], results[c, ranked[0], s]["loss"],
            keys[c, ranked[0], s],
        ))  # fmt: skip
        assert chosen(plan, records, c) == (ranked[0], best_seed, SYNTHETIC)
    average = best_on_average(plan, records)
    assert average is not None
    best = max(mean("score", [(c, lr, s) for c in names for s in seeds]) for lr in rates)
    assert average.score == pytest.approx(best)
    shuffled = list(records.items())
    random.Random(0).shuffle(shuffled)
    assert best_per_category(plan, dict(shuffled)) == best_per_category(plan, records)
    assert best_on_average(plan, dict(shuffled)) == average


def test_only_weights_of_finished_trials_that_won_nothing_are_dropped(
    plan_of: Make, records_of: Make
) -> None:
    plan = plan_of(("screw", "tile"))
    records = records_of(plan, {
        ("screw", 0.02, 0): {"score": 0.9}, ("screw", 0.04, 0): {"score": 0.5},
        ("tile", 0.04, 0): {"score": 0.5},
    })  # fmt: skip
    dropped = weights_to_drop(plan, records)
    assert [(t.category, t.method.optimizer.lr) for t in dropped] == [("screw", 0.04)]
    assert weights_to_drop(plan_of(("screw", "tile"), keep_weights="all"), records) == ()


def test_best_on_average_leaves_out_what_a_category_cannot_have(
    plan_of: Make, records_of: Make
) -> None:
    """As 70 memory samples of 60 images: the configuration is in no trial of the category."""
    plan = plan_of(("screw", "tile"))
    without = tuple(t for t in plan.trials if (t.category, t.method.optimizer.lr) != ("tile", 0.04))
    plan = replace(plan, trials=without)
    average = best_on_average(plan, records_of(plan))
    assert average is not None
    assert average.grid == {"optimizer.lr": 0.02}


def test_best_on_average_by_the_test_set_only_when_asked(plan_of: Make, records_of: Make) -> None:
    figures = {
        ("screw", 0.02, 0): {"score": 0.9, "image": 0.5},
        ("screw", 0.04, 0): {"score": 0.1, "image": 0.9},
    }
    for selection, best in (("test", 0.04), ("synthetic", 0.02)):
        plan = plan_of(selection=selection)
        average = best_on_average(plan, records_of(plan, figures))
        assert average is not None
        assert (average.grid, average.score) == ({"optimizer.lr": best}, 0.9)
