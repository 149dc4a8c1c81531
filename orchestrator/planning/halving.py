"""Successive halving: which trials of a category are stopped early. Pure.

Trials come to a rung (a step) one after the other, on a cluster in no fixed order, so each is
judged when it comes, against those that came before (asynchronous successive halving, Li et al.,
"A System for Massively Parallel Hyperparameter Tuning", in its stopping variant). Only trials of
one category are compared: easy categories would stop all trials of hard ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Trial


@dataclass(frozen=True)
class Halving:
    """How trials are stopped early."""

    reduction: int
    """Of the trials that come to a rung one in so many goes on."""
    rungs: int
    """How often a trial is judged before its last step."""


def rung_steps(halving: Halving, max_steps: int) -> tuple[int, ...]:
    """The steps at which a trial of ``max_steps`` is judged, ascending, all before the last.

    Each is ``reduction`` times the one before, so that a rung costs about as much as the next.
    """
    steps = {max_steps // halving.reduction**k for k in range(1, halving.rungs + 1)}
    return tuple(sorted(step for step in steps if 0 < step < max_steps))


def goes_on(score: float, earlier: Sequence[float], reduction: int) -> bool:
    """Whether a trial goes on that comes to a rung with this score; larger is better.

    ``earlier``: the scores of the category's trials that came to this rung before. It goes on
    when it is among the best of all of them, one in ``reduction``, rounded up; equals go on too.
    """
    best = math.ceil((len(earlier) + 1) / reduction)
    return sum(other > score for other in earlier) < best


def rivals_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Category -> keys of its trials, finished ones too."""
    keys: dict[str, list[str]] = defaultdict(list)
    for trial in plan.trials:
        keys[trial.category].append(trial.key)
    return {category: tuple(found) for category, found in keys.items()}


def in_no_order(trials: Iterable[Trial]) -> list[Trial]:
    """Each category's trials by their keys, which are as good as random, and the same each time.

    In a grid's own order, from small to large learning rates say, each could be better than all
    before it, and none would be stopped.
    """
    found = list(trials)
    place = {name: i for i, name in enumerate(dict.fromkeys(trial.category for trial in found))}
    return sorted(found, key=lambda trial: (place[trial.category], trial.key))
