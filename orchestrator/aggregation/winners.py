"""Which weights a sweep keeps in the ledger. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from orchestrator.aggregation.selection import best_per_category
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Trial


class Beaten(Protocol):
    """Says which finished trials of a plan, of one category or of all, lose their weights."""

    def __call__(
        self, plan: Plan, records: Mapping[str, Record], category: str | None = None
    ) -> tuple[Trial, ...]: ...


def no_weights(
    plan: Plan, records: Mapping[str, Record], category: str | None = None
) -> tuple[Trial, ...]:
    """None of them."""
    return ()


def weights_to_drop(
    plan: Plan, records: Mapping[str, Record], category: str | None = None
) -> tuple[Trial, ...]:
    """Finished trials of the plan that are not their category's winner, in plan order.

    Of one ``category``, or of all. None with ``keep_weights: all``.
    """
    if plan.keep_weights == "all":
        return ()
    choices = best_per_category(plan, records, category)
    winners = {choice.winner.trial.key for choice in choices.values()}
    trials = plan.trials if category is None else plan.trials_of(category)
    return tuple(
        trial
        for trial in trials
        if isinstance(records.get(trial.key), Done) and trial.key not in winners
    )
