"""Whose turn a trial is, where another sweep may work over the same workspace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from orchestrator.ledger.claims import LAPSES_S, POLL_S, Claims
from orchestrator.ledger.ledger import Done, Ledger
from orchestrator.planning.trial import Trial

WAITING = f"another sweep is at it, or died within {LAPSES_S:.0f} s: waits for its result"


def in_turn(
    trials: Iterable[Trial],
    claims: Claims,
    ledger: Ledger,
    note: Callable[[Trial, str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[Trial, bool]]:
    """Each trial once: (trial, True) claimed, to be run; (trial, False) finished by another.

    In order, but those that another sweep holds come when it has finished them, given them up
    or died. ``note`` is told once of each trial that has to be waited for.
    """
    waiting, told = list(trials), set[str]()
    while waiting:
        held = []
        for trial in waiting:
            turn = _turn(trial, claims, ledger)
            if turn is None:
                held.append(trial)
            else:
                yield trial, turn
        if len(held) == len(waiting):
            for trial in held:
                if trial.key not in told:
                    note(trial, WAITING)
                    told.add(trial.key)
            sleep(POLL_S)
        waiting = held


def _turn(trial: Trial, claims: Claims, ledger: Ledger) -> bool | None:
    """True: claimed; False: finished; None: another sweep's."""
    place = trial.category, trial.key
    if isinstance(ledger.record(*place), Done):
        return False
    if not claims.take(*place):
        return None
    if isinstance(ledger.record(*place), Done):  # between the question and the claim
        claims.release(*place)
        return False
    return True
