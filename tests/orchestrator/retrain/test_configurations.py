"""Which settings were best on average."""

from __future__ import annotations

from orchestrator.retrain.configuration import Measured, best_on_average, overrides_of


def test_overrides_are_what_differs_and_is_trained_with() -> None:
    version = {
        "optimizer.lr": 0.08, "memory.samples": 30, "training.precision": "bf16",
        "validation.turned": 4, "evaluation.top_pixels": 50, "gone.setting": 1,
    }  # fmt: skip
    job = {
        "optimizer.lr": 0.04, "memory.samples": 30, "training.precision": "auto",
        "validation.turned": 0, "evaluation.top_pixels": 100, "new.setting": 2,
    }  # fmt: skip
    assert overrides_of(version, job) == {"optimizer.lr": 0.08}


def test_which_step_is_reported_stays_the_jobs() -> None:
    version = {"training.reported_step": "test", "training.judged_every": 50}
    job = {"training.reported_step": "last", "training.judged_every": 100}
    assert overrides_of(version, job) == {}


def test_a_range_that_came_back_from_json_as_a_list_is_the_same() -> None:
    job = {"simulation.transparency": (0.15, 1.0), "simulation.moved_size": (0.1, 0.35)}
    version = {"simulation.transparency": [0.15, 1.0], "simulation.moved_size": [0.2, 0.35]}
    assert overrides_of(version, job) == {"simulation.moved_size": [0.2, 0.35]}


def test_most_categories_win_then_the_mean() -> None:
    low, high = {"optimizer.lr": 0.02}, {"optimizer.lr": 0.08}
    found = best_on_average(
        [
            Measured("screw", low, 0.7),
            Measured("tile", low, 0.9),
            Measured("screw", high, 0.8),
            Measured("tile", high, 0.9),
            Measured("grid", {}, 0.99),
        ]
    )
    assert found is not None
    assert (found.overrides, found.categories) == (high, 2)
    assert abs(found.score - 0.85) < 1e-12


def test_of_a_category_its_best_version_counts_once() -> None:
    found = best_on_average([Measured("screw", {}, 0.5), Measured("screw", {}, 0.7)])
    assert found is not None
    assert (found.categories, found.score) == (1, 0.7)


def test_without_a_score_nothing_is_known() -> None:
    assert best_on_average([]) is None
    assert best_on_average([Measured("screw", {}, None)]) is None
