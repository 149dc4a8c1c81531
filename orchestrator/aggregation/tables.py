"""Everything that a sweep's tables say: a pure function of its plan and the ledger's records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.aggregation.rows import METRICS, Row, make_rows
from orchestrator.aggregation.selection import (
    AverageChoice,
    Choice,
    best_on_average,
    best_per_category,
)
from orchestrator.aggregation.trial_rows import make_trial_columns
from orchestrator.ledger.ledger import Failed, Record
from orchestrator.planning.plan import Plan


@dataclass(frozen=True)
class FailureGroup:
    """Trials of one category that failed alike."""

    category: str
    kind: str
    message: str
    trials: int


@dataclass(frozen=True)
class Undefined:
    """A metric that a category's test set does not define, and why."""

    category: str
    metric: str
    reason: str


@dataclass(frozen=True)
class Tables:
    """Both winners with their rows, and what went wrong. Render with markdown or terminal."""

    plan: Plan
    choices: Mapping[str, Choice]
    """Category -> winner."""
    rows: tuple[Row, ...]
    """Best of each category: one a category in the plan's order, then the three averages."""
    average: AverageChoice | None
    """The configuration that is best on average; None where the categories share none."""
    average_rows: tuple[Row, ...]
    """Like ``rows``, of that one configuration; () where there is none."""
    trials: Mapping[str, Sequence[Any]]
    """Column -> a value a planned trial, see ``orchestrator.aggregation.trial_rows``."""
    failures: tuple[FailureGroup, ...]
    undefined: tuple[Undefined, ...]

    @property
    def done(self) -> int:
        """Finished trials."""
        return self.rows[-3].trials_done

    @property
    def pruned(self) -> int:
        """Trials that successive halving stopped."""
        return self.rows[-3].trials_pruned

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.done + self.pruned == self.planned

    @property
    def planned(self) -> int:
        """Trials that were asked for."""
        return self.rows[-3].trials_planned


def make_tables(plan: Plan, records: Mapping[str, Record]) -> Tables:
    """The tables of a sweep; ``records``: of ``read_records(ledger, plan.trials)``."""
    choices = best_per_category(plan, records)
    average = best_on_average(plan, records)
    winners = frozenset(choice.winner.trial.key for choice in choices.values())
    return Tables(
        plan=plan,
        choices=choices,
        rows=make_rows(plan, records, choices),
        average=average,
        average_rows=make_rows(plan, records, average.choices) if average else (),
        trials=make_trial_columns(plan, records, winners),
        failures=tuple(_failures(plan, records)),
        undefined=tuple(_undefined(choices)),
    )


def _failures(plan: Plan, records: Mapping[str, Record]) -> Iterator[FailureGroup]:
    counts: dict[tuple[str, str, str], int] = {}
    for category, message in plan.problems.items():
        counts[category, "data", message] = plan.planned(category)
    for trial in plan.trials:
        record = records.get(trial.key)
        if isinstance(record, Failed):
            failure = record.failure
            group = (
                trial.category,
                str(failure.get("kind", "unknown")),
                str(failure.get("message", "")),
            )
            counts[group] = counts.get(group, 0) + 1
    for group, trials in counts.items():
        yield FailureGroup(*group, trials)


def _undefined(choices: Mapping[str, Choice]) -> Iterator[Undefined]:
    for category, choice in choices.items():
        reasons = choice.winner.result.get("undefined") or {}
        for metric in METRICS:
            if choice.winner.metric(metric) is None:
                yield Undefined(category, metric, reasons.get(metric, "no reason was recorded"))
