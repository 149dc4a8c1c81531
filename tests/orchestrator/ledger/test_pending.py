"""Which trials the next run does."""

from __future__ import annotations

import pytest

from memseg.config import MethodConfig
from orchestrator.ledger.ledger import Done, Failed, Pruned, Record
from orchestrator.ledger.pending import pending
from orchestrator.planning.trial import Inputs, Trial

INPUTS = Inputs("train", "test", "procedural:1", "random")
TRIALS = [Trial("screw", seed, MethodConfig(), INPUTS) for seed in range(3)]


def test_all_trials_are_to_do_in_their_order_when_nothing_is_known() -> None:
    assert pending(TRIALS, {}) == TRIALS


def test_finished_trials_are_not_run_again() -> None:
    records: dict[str, Record] = {TRIALS[1].key: Done({})}
    assert pending(TRIALS, records) == [TRIALS[0], TRIALS[2]]
    assert pending(TRIALS, records, retry=True) == [TRIALS[0], TRIALS[2]]


@pytest.mark.parametrize("kind", ["lost", "out_of_memory", "bug", "storage", "unheard of"])
def test_failures_that_may_not_come_again_are_tried_again(kind: str) -> None:
    assert pending(TRIALS[:1], {TRIALS[0].key: Failed({"kind": kind})}) == TRIALS[:1]


@pytest.mark.parametrize("kind", ["data", "configuration"])
def test_failures_that_come_again_for_sure_wait_for_a_change(kind: str) -> None:
    records: dict[str, Record] = {TRIALS[0].key: Failed({"kind": kind})}
    assert pending(TRIALS[:1], records) == []
    assert pending(TRIALS[:1], records, retry=True) == TRIALS[:1]


def test_a_mended_image_makes_another_trial_that_is_to_do() -> None:
    records: dict[str, Record] = {TRIALS[0].key: Failed({"kind": "data"})}
    mended = Trial("screw", 0, MethodConfig(), Inputs("mended", "test", "procedural:1", "random"))
    assert pending([mended], records) == [mended]


def test_what_was_stopped_early_goes_on_only_where_nothing_is_stopped_early() -> None:
    records: dict[str, Record] = {TRIALS[0].key: Pruned({"step": 300})}
    assert pending(TRIALS[:1], records, pruning=True) == []
    assert pending(TRIALS[:1], records, retry=True, pruning=True) == []
    assert pending(TRIALS[:1], records) == TRIALS[:1]
