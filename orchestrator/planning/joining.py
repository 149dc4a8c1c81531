"""Several plans over the same inventory as one, in which a trial that they share stands once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.planning.inventory import CategoryInventory
from orchestrator.planning.plan import Plan
from orchestrator.planning.possible import Dropped
from orchestrator.planning.trial import Trial


def join_plans(plans: Sequence[Plan], categories: Sequence[CategoryInventory]) -> Plan:
    """Each category's trials together, in the order of the plans. Pure; needs one plan at least.

    ``categories``: all that the plans have, in the order of the result. A category that only some
    plans cannot train is no problem of the whole: what they cannot is among the dropped.
    """
    trials: dict[str, dict[str, Trial]] = {c.category: {} for c in categories}
    for plan in plans:
        for trial in plan.trials:
            trials[trial.category].setdefault(trial.key, trial)
    problems = {
        name: problem
        for plan in plans
        for name, problem in plan.problems.items()
        if not trials[name]
    }
    refused = [r for plan in plans for r in plan.refused if r.category in problems]
    dropped = [d for plan in plans for d in (*plan.dropped, *_lesser(plan, problems))]
    return replace(
        plans[0],
        categories=tuple(replace(c, train_hashes=(), files={}) for c in categories),
        trials=tuple(trial for found in trials.values() for trial in found.values()),
        refused=tuple({str(r): r for r in refused}.values()),
        dropped=tuple({str(d): d for d in dropped}.values()),
        problems=problems,
        notes=(),
    )


def _lesser(plan: Plan, problems: dict[str, str]) -> list[Dropped]:
    """What keeps one plan from a category that others can train."""
    return [
        Dropped(name, {}, problem)
        for name, problem in plan.problems.items()
        if name not in problems
    ]
