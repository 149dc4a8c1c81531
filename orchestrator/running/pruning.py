"""Successive halving at work: a training run's gate that asks the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.ledger.ledger import Ledger
from orchestrator.ledger.rungs import judge, judged
from orchestrator.planning.halving import Halving, rung_steps
from orchestrator.planning.trial import Trial

Rivals = Mapping[str, tuple[str, ...]]
"""Category -> keys of its trials in the plan; empty where none is stopped early."""


@dataclass(frozen=True)
class Pruning:
    """How a trial may be stopped early, and by whom."""

    halving: Halving
    rivals: tuple[str, ...]
    """Keys of the trials of its category in the plan."""


class HalvingGate:
    """A Gate: at each rung the trial's validation score is judged among its rivals'."""

    def __init__(
        self, ledger: Ledger, trial: Trial, pruning: Pruning, score: Callable[[], float]
    ) -> None:
        """``score``: of the network as it is, on held-out images; larger is better."""
        self._ledger, self._trial, self._pruning = ledger, trial, pruning
        self._score = score
        self.steps = frozenset(rung_steps(pruning.halving, trial.method.training.max_steps))

    def passes(self, step: int) -> bool:
        """Whether the trial goes on. Raises StorageError."""
        place = self._trial.category, self._trial.key
        known = judged(self._ledger, *place, step)
        if known is None:
            known = judge(
                self._ledger, *place, step, self._score(), self._pruning.rivals,
                self._pruning.halving,
            )  # fmt: skip
        return known.goes_on
