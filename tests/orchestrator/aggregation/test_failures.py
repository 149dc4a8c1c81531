"""The table of failed attempts."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.aggregation.failures import failure_rows, failures_markdown
from orchestrator.aggregation.write import write_failures
from orchestrator.ledger.kinds import KINDS


def event(kind: str, trial: str, **values: Any) -> dict[str, Any]:
    return {"at": "2026-11-25T03:00:00.000+00:00", "event": kind, "category": "screw",
            "trial": trial, **values}  # fmt: skip


def failed(trial: str, attempt: int, failure: str = "worker_lost") -> dict[str, Any]:
    return event("attempt_failed", trial, attempt=attempt, failure=failure, message="gone", step=40)


def then(events: list[dict[str, Any]]) -> list[str]:
    return [row["then"] for row in failure_rows(events)]


def test_a_trial_that_ends_well_has_its_failures_done_later() -> None:
    assert then([failed("a", 1), failed("a", 2), event("done", "a")]) == ["done later"] * 2


def test_the_last_attempt_of_a_trial_that_failed_for_good_is_the_one_given_up() -> None:
    events = [failed("a", 1), failed("a", 2), event("failed", "a", failure="worker_lost")]
    assert then(events) == ["tried again", "gave up"]


def test_what_was_given_up_and_done_by_a_later_run_is_done_later() -> None:
    events = [failed("a", 1), event("failed", "a"), event("started", "a"), event("done", "a")]
    assert then(events) == ["done later"]


def test_trials_do_not_mix_and_other_events_are_no_rows() -> None:
    events = [event("sweep_started", ""), failed("a", 1), failed("b", 1), event("done", "b"),
              event("note", "a", message="goes on from step 40")]  # fmt: skip
    assert then(events) == ["tried again", "done later"]


@pytest.mark.parametrize("failure", KINDS)
def test_what_was_given_up_has_its_advice(failure: str) -> None:
    rows = failure_rows([failed("a", 1, failure), event("failed", "a", failure=failure)])
    text = failures_markdown("paper", rows)
    assert KINDS[failure].advice in text
    assert "| 2026-11-25 03:00:00 | screw | a |" in text


def test_a_message_is_no_markup() -> None:
    rows = failure_rows([{**failed("a", 1), "message": "a | b\n<c>"}])
    assert "a \\| b &lt;c>" in failures_markdown("paper", rows)


def test_a_sweep_without_failures_says_so(quick_workspace: Any) -> None:
    write_failures(quick_workspace, "paper", [])
    assert quick_workspace.read("failures.csv").decode().startswith("at,category,trial,failure")
    assert "None." in quick_workspace.read("failures.md").decode()
