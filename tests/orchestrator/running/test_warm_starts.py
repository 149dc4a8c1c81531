"""Trials that start from a published model: what they begin with, and what can go wrong."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors

from memseg.metrics.evaluate import compute_metrics
from memseg.storage import Folder, open_folder
from memseg.versions.version import Version
from orchestrator.ledger.contents import record_contents
from orchestrator.ledger.ledger import Done, Failed, Ledger
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.planning.trial import Trial
from orchestrator.registry.bundle import version_files
from orchestrator.registry.registry import Registry
from orchestrator.running import judging
from orchestrator.running.attempt import attempt
from orchestrator.running.inputs import Loaded
from orchestrator.running.placement import Placement
from tests.orchestrator.running.test_attempts import Told, ledger, loaded, trial

__all__ = ["ledger", "loaded", "trial"]


@pytest.fixture(scope="module")
def published(
    trial: Trial, loaded: Loaded, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A workspace with a trial of two steps, and the version that it became."""
    ledger = Ledger(open_folder(tmp_path_factory.mktemp("published")))
    assert attempt(trial, lambda: loaded, Placement(), ledger, Told()) is None
    record, folder = ledger.record("part", trial.key), ledger.trial_folder("part", trial.key)
    assert isinstance(record, Done)
    files = version_files(record.result, folder.read("model.safetensors"), "synthetic")
    version = registry(ledger).publish("part", trial.key, files)
    return Path(ledger.workspace.path), version.id


@pytest.fixture
def champion(published: tuple[Path, str], ledger: Ledger) -> Version:
    """That version, in a copy of the workspace."""
    made, version = published
    shutil.copytree(made, ledger.workspace.path, dirs_exist_ok=True)
    return registry(ledger).version("part", version)


def registry(ledger: Ledger) -> Registry:
    return Registry(ledger.workspace.sub("registry"))


@pytest.mark.parametrize("left_out", [0, 1, 99])
def test_test_images_that_a_model_was_trained_on_do_not_judge(
    champion: Version, trial: Trial, loaded: Loaded, monkeypatch: pytest.MonkeyPatch, left_out: int
) -> None:
    product = loaded.inputs(trial.inputs, "part").product
    monkeypatch.setattr(judging, "planned_product", lambda *arguments: product)
    seen = []

    def metrics(maps: Any, labels: Any, masks: Any, *limits: Any) -> Any:
        seen.append((len(maps), len(labels), len(masks)))
        return compute_metrics(maps, labels, masks, *limits)

    monkeypatch.setattr(judging, "compute_metrics", metrics)
    names = product.test_names[:left_out]
    found = judging.judge([champion], trial, (), names, None, Placement())  # type: ignore[arg-type]
    left = max(len(product.test_names) - left_out, 0)
    assert seen == [(left, left, left)]
    assert (found[champion.id][judging.IMAGE] is None) == (left == 0)


def started(trial: Trial, version: Version, **settings: Any) -> Trial:
    """The trial with one step that starts from the version."""
    training = replace(trial.method.training, max_steps=1)
    method = replace(trial.method, training=training, **settings)
    start = f"sha256:{version.manifest.files['model.safetensors'].sha256}"
    return replace(
        trial, method=method, inputs=replace(trial.inputs, start=start), start_version=version.id
    )


def run(trial: Trial, loaded: Loaded, ledger: Ledger) -> dict[str, Any]:
    assert attempt(trial, lambda: loaded, Placement(), ledger, Told()) is None
    record = ledger.record("part", trial.key)
    assert isinstance(record, Done)
    return dict(record.result)


def weights(ledger: Ledger, trial: Trial) -> dict[str, torch.Tensor]:
    return load_tensors(ledger.trial_folder("part", trial.key).read("model.safetensors"))


def test_after_a_step_that_learns_nothing_the_weights_are_the_champions(
    champion: Version, trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    still = replace(trial.method.optimizer, lr=1e-12)
    warm = started(trial, champion, optimizer=still)
    afresh = replace(warm, inputs=replace(warm.inputs, start=None), start_version=None)
    assert warm.key != afresh.key
    result, other = run(warm, loaded, ledger), run(afresh, loaded, ledger)
    theirs = load_tensors(champion.read("model.safetensors"))
    names = [n for n in theirs if n.endswith("weight") and theirs[n].ndim == 4]
    assert all(torch.allclose(weights(ledger, warm)[n], theirs[n], atol=1e-6) for n in names)
    assert not all(torch.allclose(weights(ledger, afresh)[n], theirs[n], atol=1e-6) for n in names)
    assert result["inputs"]["start"] == warm.inputs.start
    assert result["warm_start"] == {
        "version": champion.id, "held_out_seen": None, "seen": None,
    }  # fmt: skip
    assert "warm_start" not in other
    assert "start" not in other["inputs"]


def test_the_same_start_ends_in_the_same_bits(
    champion: Version, trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    warm = started(trial, champion)
    first = run(warm, loaded, ledger)
    ledger.workspace.delete_folder(f"trials/part/{warm.key}")
    assert run(warm, loaded, ledger)["weights_sha256"] == first["weights_sha256"]


def test_the_result_and_the_card_say_which_held_out_images_the_champion_knew(
    champion: Version, trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    # What the champion's folder held: the test's names are "0.png" to "9.png".
    files = {f"{i}.png": f"{i:064d}" for i in range(10)}
    line = CategoryInventory("part", train_fingerprint="train", test_fingerprint="test",
                             files=files, train_hashes=tuple(files.values()))  # fmt: skip
    record_contents(ledger.workspace, line)
    warm = started(trial, champion)
    result = run(warm, loaded, ledger)
    theirs = champion.read_json("provenance.json")["held_out"]
    assert result["held_out"] == theirs
    assert result["warm_start"]["held_out_seen"] == 0
    assert len(result["warm_start"]["seen"]) == 8
    # With another seed other images are held out; the champion was trained on some of these.
    other = replace(warm, seed=1)
    seen = len(set(run(other, loaded, ledger)["held_out"]) - set(theirs))
    assert seen > 0
    record, folder = ledger.record("part", other.key), ledger.trial_folder("part", other.key)
    assert isinstance(record, Done)
    assert record.result["warm_start"]["held_out_seen"] == seen
    published = version_files(record.result, folder.read("model.safetensors"), "synthetic")
    card = published["MODEL_CARD.md"].decode()
    assert f"- warm start from version {champion.id} of part" in card
    assert f"WARM START: {seen} of the 2 held-out images were known" in card


def test_new_test_images_of_a_warm_trial_are_only_evaluated_and_need_no_start(
    champion: Version, trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    warm = started(trial, champion)
    first = run(warm, loaded, ledger)
    ledger.workspace.delete_folder("registry")
    again = replace(warm, inputs=replace(warm.inputs, test_fingerprint="more"))
    more = replace(loaded, product=replace(loaded.product, test_fingerprint="more"))  # type: ignore[type-var]
    told = Told()
    assert ledger.trained([again]) == {again.key: warm.key}
    assert attempt(again, lambda: more, Placement(), ledger, told, donor=warm.key) is None
    record = ledger.record("part", again.key)
    assert isinstance(record, Done)
    assert record.result["warm_start"] == first["warm_start"]
    assert told.steps == []


def _gone(folder: Folder) -> None:
    folder.delete_folder("")


def _missing(folder: Folder) -> None:
    folder.delete("model.safetensors")


def _changed(folder: Folder) -> None:
    folder.write("model.safetensors", folder.read("model.safetensors")[:-1] + b"?")


@pytest.mark.parametrize(
    ("damage", "said"),
    [(_gone, "has no version"), (_missing, "is missing"), (_changed, "was changed since")],
)
def test_a_champion_that_is_gone_or_damaged_is_a_clear_failure(
    champion: Version, trial: Trial, loaded: Loaded, ledger: Ledger, damage: Any, said: str
) -> None:
    damage(champion.folder)
    failed = started(trial, champion)
    assert attempt(failed, lambda: loaded, Placement(), ledger, Told()) == "storage"
    record = ledger.record("part", failed.key)
    assert isinstance(record, Failed)
    message = record.failure["message"]
    assert f"cannot start from version {champion.id}" in message
    assert said in message
    assert "run the same command again" in message
    assert not ledger.trial_folder("part", failed.key).exists("model.safetensors")


def test_other_weights_under_the_same_name_are_refused(
    champion: Version, trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    warm = started(trial, champion)
    planned = "sha256:" + hashlib.sha256(b"others").hexdigest()
    other = replace(warm, inputs=replace(warm.inputs, start=planned))
    assert attempt(other, lambda: loaded, Placement(), ledger, Told()) == "storage"
    record = ledger.record("part", other.key)
    assert isinstance(record, Failed)
    assert "planned were sha256:" in record.failure["message"]


def test_only_normal_images_that_are_unknown_to_the_models_judge(
    champion: Version, trial: Trial, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = loaded.inputs(trial.inputs, "part").product
    monkeypatch.setattr(judging, "planned_product", lambda *arguments: product)
    seen = []
    monkeypatch.setattr(judging, "evaluate_synthetic", lambda n, images, *_: seen.append(images))
    unseen = product.train_names[:2]
    judging.judge([champion], trial, unseen, (), None, Placement())  # type: ignore[arg-type]
    assert np.array_equal(seen[0], product.train[:2])
