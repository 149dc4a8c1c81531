"""Which of two sweeps runs a trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memseg.config import MethodConfig, build
from memseg.storage import open_folder
from orchestrator.ledger.claims import POLL_S, Claims
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.running.turns import WAITING, in_turn


def trial(seed: int) -> Trial:
    method = build(MethodConfig, {"training.precision": "fp32"})
    return Trial("screw", seed, method, Inputs("a", "b", "c", "d"))


TRIALS = [trial(seed) for seed in range(3)]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(open_folder(tmp_path))


def commit(ledger: Ledger, trial: Trial) -> None:
    ledger.commit({"category": trial.category, "key": trial.key, "weights_sha256": "w"})


class World:
    """What another sweep does while this one sleeps."""

    def __init__(self, *deeds: Any) -> None:
        self.deeds, self.slept, self.notes = list(deeds), list[float](), list[tuple[int, str]]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.deeds.pop(0)()

    def note(self, trial: Trial, text: str) -> None:
        self.notes.append((trial.seed, text))


def turns(ledger: Ledger, world: World) -> list[tuple[int, bool]]:
    found = in_turn(TRIALS, Claims(ledger, "us"), ledger, world.note, world.sleep)
    return [(trial.seed, ours) for trial, ours in found]


def test_alone_all_are_ours_in_order_and_nothing_waits(ledger: Ledger) -> None:
    world = World()
    assert turns(ledger, world) == [(0, True), (1, True), (2, True)]
    assert (world.slept, world.notes) == ([], [])


def test_what_another_holds_comes_last_and_is_not_run_when_it_finishes_it(ledger: Ledger) -> None:
    other = Claims(ledger, "other")
    assert other.take("screw", TRIALS[0].key)
    world = World(lambda: None, lambda: commit(ledger, TRIALS[0]))
    assert turns(ledger, world) == [(1, True), (2, True), (0, False)]
    assert world.slept == [POLL_S] * 2
    assert world.notes == [(0, WAITING)]


def test_what_another_gives_up_is_run(ledger: Ledger) -> None:
    other = Claims(ledger, "other")
    assert other.take("screw", TRIALS[0].key)
    world = World(lambda: other.release("screw", TRIALS[0].key))
    assert turns(ledger, world) == [(1, True), (2, True), (0, True)]


def test_what_is_finished_already_is_not_claimed(ledger: Ledger) -> None:
    commit(ledger, TRIALS[1])
    assert turns(ledger, World()) == [(0, True), (1, False), (2, True)]
    assert Claims(ledger, "other").take("screw", TRIALS[1].key)


def test_what_is_finished_between_the_question_and_the_claim_is_not_run(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Claims.take

    def take(self: Claims, category: str, key: str) -> bool:
        commit(ledger, TRIALS[0])
        return real(self, category, key)

    monkeypatch.setattr(Claims, "take", take)
    assert turns(ledger, World())[0] == (0, False)
