"""Which weights a sweep keeps in the ledger. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.aggregation.selection import best_per_category
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Trial


def weights_to_drop(plan: Plan, records: Mapping[str, Record]) -> tuple[Trial, ...]:
    """Finished trials of the plan that are not their category's winner, in plan order.

    None with ``keep_weights: all``. Drop them after the winners were published.
    """
    if plan.keep_weights == "all":
        return ()
    winners = {c.winner.trial.key for c in best_per_category(plan, records).values()}
    return tuple(
        trial
        for trial in plan.trials
        if isinstance(records.get(trial.key), Done) and trial.key not in winners
    )
