"""Which step a figure is of, in words."""

from __future__ import annotations

import pytest

from memseg.config import MethodConfig, build
from memseg.errors import SettingError
from orchestrator.planning.reported_step import reported_step, reported_steps


def settings(**changed: object) -> dict[str, object]:
    named = {f"training.{name}": value for name, value in changed.items()}
    return dict(build(MethodConfig, named).by_name)


def test_each_way_says_what_chose_it() -> None:
    ways = {
        way: reported_step(settings(reported_step=way)) for way in ("last", "validation", "test")
    }
    assert str(ways["last"]) == "the last, not chosen by the test set"
    assert "of every 100 and the last, the best on synthetic validation" in str(ways["validation"])
    assert "TEST SET: an ORACLE" in str(ways["test"])
    assert [way for way, chosen in ways.items() if chosen.oracle] == ["test"]


def test_results_of_before_it_was_a_setting_are_of_the_last_step() -> None:
    assert reported_step({}) == reported_step(settings())


def test_different_ones_are_each_said_once() -> None:
    unused = settings(judged_every=7)  # chooses nothing
    found = reported_steps([settings(), unused, settings(reported_step="test", judged_every=50)])
    assert [(step.way, step.every) for step in found] == [("last", 0), ("test", 50)]


def test_without_held_out_images_no_step_is_chosen_by_validation() -> None:
    with pytest.raises(SettingError, match="held_out_share \\(0 here"):
        build(
            MethodConfig,
            {"training.reported_step": "validation", "validation.held_out_share": 0.0},
        )
