"""Rungs: judged once, by category, whoever asks."""

from __future__ import annotations

import pytest

from memseg.errors import StorageError
from memseg.storage import Folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.ledger.rungs import Judged, judge, judged
from orchestrator.planning.halving import Halving

HALVING = Halving(reduction=3, rungs=2)
KEYS = [f"{i:012d}" for i in range(6)]


def at(ledger: Ledger, key: str, score: float, category: str = "screw", step: int = 300) -> Judged:
    return judge(ledger, category, key, step, score, KEYS, HALVING)


def test_each_is_judged_against_those_that_came_before(quick_workspace: Folder) -> None:
    ledger = Ledger(quick_workspace)
    scores = (0.5, 0.6, 0.4, 0.55, 0.7)
    found = [at(ledger, key, score) for key, score in zip(KEYS, scores)]
    assert [one.goes_on for one in found] == [True, True, False, True, True]
    assert [one.among for one in found] == [1, 2, 3, 4, 5]


def test_a_trial_that_comes_again_is_judged_as_before(quick_workspace: Folder) -> None:
    ledger = Ledger(quick_workspace)
    at(ledger, KEYS[0], 0.9)
    stopped = at(ledger, KEYS[1], 0.1)
    assert not stopped.goes_on
    assert at(ledger, KEYS[1], 0.99) == stopped  # resumed; its score is known
    assert judged(ledger, "screw", KEYS[1], 300) == stopped


def test_categories_and_steps_do_not_mix(quick_workspace: Folder) -> None:
    ledger = Ledger(quick_workspace)
    at(ledger, KEYS[0], 0.9)
    assert at(ledger, KEYS[1], 0.1, category="carpet").among == 1
    assert at(ledger, KEYS[1], 0.1, step=900).among == 1
    assert judged(ledger, "screw", KEYS[1], 300) is None


def test_trials_of_no_plan_of_ours_are_no_rivals(quick_workspace: Folder) -> None:
    ledger = Ledger(quick_workspace)
    judge(ledger, "screw", "ffffffffffff", 300, 0.9, (), HALVING)
    assert at(ledger, KEYS[0], 0.1).goes_on


def test_a_broken_rung_is_named(quick_workspace: Folder) -> None:
    ledger = Ledger(quick_workspace)
    ledger.trial_folder("screw", KEYS[0]).write("rungs/00000300.json", b'{"score": "x"}')
    with pytest.raises(StorageError, match=r"rungs/00000300.json does not hold a rung"):
        at(ledger, KEYS[1], 0.5)
