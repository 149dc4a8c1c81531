"""What a preset's figures are worth is said beside them."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.aggregation.conditions import preset_conditions
from orchestrator.planning.plan import Plan


def test_preset_best_flatters_where_its_settings_were_found(plan_of: Callable[..., Plan]) -> None:
    (seen,) = preset_conditions(plan_of(("tile", "screw"), preset="best"))
    assert seen.loud
    assert seen.text.endswith(
        "with the test images of screw and transistor in view: the figures of screw flatter"
    )
    (other,) = preset_conditions(plan_of(("tile",), preset="best"))
    assert not other.loud
    assert other.text.endswith("in view")


def test_what_is_not_the_papers_in_preset_paper_is_said(plan_of: Callable[..., Plan]) -> None:
    (found,) = preset_conditions(plan_of(preset="paper"))
    assert "not from the paper: factors and smoothing of the difference" in found.text
    assert not list(preset_conditions(plan_of(preset="default")))
