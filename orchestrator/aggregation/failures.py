"""The table of failed attempts of a sweep, from its event log. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.aggregation.markdown_table import cell, table
from orchestrator.ledger.kinds import kind

ATTEMPT_FAILED, DONE, FAILED, STARTED = "attempt_failed", "done", "failed", "started"
"""Events that the table is made of; ``orchestrator.running.events`` says when they happen."""

COLUMNS: Mapping[str, type] = {
    "at": str,
    "category": str,
    "trial": str,
    "failure": str,
    "attempt": int,
    "step": int,
    "then": str,
    "message": str,
}

DONE_LATER, TRIED_AGAIN, GAVE_UP = "done later", "tried again", "gave up"


def failure_rows(events: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """One row a failed attempt, oldest first: what it was, and what became of its trial.

    ``events``: of ``read_events``, oldest first. ``then`` is "done later", "gave up" (its tries
    were used up) or "tried again" (neither is known: it runs, or the sweep was ended).
    """
    rows: list[dict[str, Any]] = []
    of_trial: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        name, key = event.get("event"), str(event.get("trial", ""))
        if name == ATTEMPT_FAILED:
            row = {column: event.get(column) for column in COLUMNS} | {"then": TRIED_AGAIN}
            rows.append(row)
            of_trial.setdefault(key, []).append(row)
        elif name == FAILED:
            for row in of_trial.get(key, [])[-1:]:
                row["then"] = GAVE_UP
        elif name == DONE:
            for row in of_trial.get(key, []):
                row["then"] = DONE_LATER
    return tuple(rows)


def failures_markdown(sweep: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """The table with what to do about those that were given up."""
    rows = list(rows)
    if not rows:
        return f"# {sweep}: failed attempts\n\nNone.\n"
    header = ["at", "category", "trial", "failure", "attempt", "step", "then", "message"]
    lines = [
        [
            str(row["at"] or "")[:19].replace("T", " "),
            cell(str(row["category"])),
            str(row["trial"])[:8],
            str(row["failure"]),
            str(row["attempt"] or ""),
            "" if row["step"] is None else str(row["step"]),
            str(row["then"]),
            cell(str(row["message"] or ""))[:300],
        ]
        for row in rows
    ]
    given_up = sorted({str(row["failure"]) for row in rows if row["then"] == GAVE_UP})
    advice = [f"- {name}: {kind(name).advice}" for name in given_up]
    parts = [f"# {sweep}: failed attempts", "", "Times are UTC.", ""]
    parts += table(header, lines, {"attempt", "step"})
    if advice:
        parts += ["", "What was given up:", "", *advice]
    return "\n".join(parts) + "\n"
