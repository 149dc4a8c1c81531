"""Weights that nobody needs are let go of at a sweep's end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from memseg.config import MethodConfig
from memseg.storage import Folder, open_folder
from orchestrator.aggregation.tables import make_tables
from orchestrator.ledger.claims import LAPSES_S
from orchestrator.ledger.ledger import Done, Ledger, Pruned, Record
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.publishing import drop_weights, publish_winners

INPUTS = Inputs("train", "test", "procedural:1", "random")


def plan_of(trials: tuple[Trial, ...], keep_weights: str = "best") -> Plan:
    return Plan(
        name="line", selection="synthetic", keep_weights=keep_weights, preset="default",
        seeds=(0, 1, 2), axes=(), textures="procedural:1", texture_images=1,
        encoder_weights="random", categories=(CategoryInventory("screw"),), trials=trials,
    )  # fmt: skip


def test_all_but_the_winners_weights_are_dropped_and_the_rest_is_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(open_folder(tmp_path))
    trials = tuple(Trial("screw", seed, MethodConfig(), INPUTS) for seed in range(3))
    records: dict[str, Record] = {
        trial.key: Done({"metrics": {}, "synthetic": {"score": trial.seed, "loss": 0.1}})
        for trial in trials
    }
    for trial in trials[1:]:
        for name in ("model.safetensors", "examples.png", "losses.csv", "result.json"):
            ledger.trial_folder("screw", trial.key).write(name, b"bytes")
    drop_weights(plan_of(trials, "all"), records, ledger)
    assert len(ledger.workspace.files(recursive=True)) == 8
    drop_weights(plan_of(trials), records, ledger)
    kept = {file.path.split("/", 2)[2] for file in ledger.workspace.files(recursive=True)}
    winner = trials[2].key
    assert kept == {
        f"{trials[1].key}/result.json", f"{winner}/result.json", f"{winner}/examples.png",
        f"{winner}/model.safetensors", f"{winner}/losses.csv",
    }  # fmt: skip

    def asked(self: Folder, relative: str = "") -> bool:
        raise AssertionError(f"asked for {relative}")

    monkeypatch.setattr(Folder, "exists", asked)
    drop_weights(plan_of(trials), records, ledger)


@pytest.mark.parametrize("keep", ["best", "all"])
def test_checkpoints_of_stopped_trials_go_but_not_under_another_sweep(
    tmp_path: Path, keep: str
) -> None:
    ledger = Ledger(open_folder(tmp_path))
    trials = tuple(Trial("screw", seed, MethodConfig(), INPUTS) for seed in range(3))
    records: dict[str, Record] = {t.key: Pruned({"step": 300}) for t in trials[:2]}
    for trial in trials:
        ledger.trial_folder("screw", trial.key).write("checkpoints/step-1.safetensors", b"bytes")
    claimed = ledger.trial_folder("screw", trials[1].key)
    claimed.write("claim.json", b"{}")
    lapsed = ledger.trial_folder("screw", trials[0].key)
    lapsed.write("claim.json", b"{}")
    long_ago = time.time() - LAPSES_S - 5
    os.utime(lapsed.at("claim.json"), (long_ago, long_ago))
    drop_weights(plan_of(trials, keep), records, ledger)
    left = {t.seed for t in trials if ledger.trial_folder("screw", t.key).exists("checkpoints")}
    assert left == ({1, 2} if keep == "best" else {0, 1, 2})


def test_nothing_is_published_of_a_category_with_a_trial_that_left_no_record(
    tmp_path: Path,
) -> None:
    """Its driver died: the first version becomes champion, which is not for survivors."""
    ledger = Ledger(open_folder(tmp_path))
    trials = tuple(Trial("screw", seed, MethodConfig(), INPUTS) for seed in range(3))
    records: dict[str, Record] = {
        trial.key: Done({"metrics": {}, "synthetic": {"score": 0.5, "loss": 0.1}})
        for trial in trials[:2]
    }
    tables = make_tables(plan_of(trials), records)
    assert publish_winners(tables, records, ledger) == [
        "screw is not published: 1 of its trials was lost, run the same command again"
    ]
    assert ledger.workspace.files(recursive=True) == []
