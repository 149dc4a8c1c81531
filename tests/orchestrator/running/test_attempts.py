"""One attempt: what it commits, what it records, when it only evaluates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from memseg.config import MethodConfig, build, flatten_config
from memseg.data.licence import Licence
from memseg.data.product import Product
from memseg.data.roles import Roles
from memseg.data.textures import PROCEDURAL_TEXTURES, procedural_textures
from memseg.errors import DataError, EmptyDataError, StorageError
from memseg.model.weights import EncoderWeights
from memseg.storage import open_folder
from memseg.training.execution import make_execution
from memseg.training.workers import Workers
from orchestrator.ledger.ledger import Done, Failed, Ledger
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.running import attempt as attempt_room
from orchestrator.running import scoring, trial_run
from orchestrator.running.attempt import attempt
from orchestrator.running.failures import failure
from orchestrator.running.inputs import Loaded, NotLoaded, Textures
from orchestrator.running.placement import Placement
from orchestrator.running.roles import network_of


class Told:
    def __init__(self) -> None:
        self.steps: list[int] = []
        self.events: list[str] = []

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        self.steps.append(step)

    def event(self, message: str) -> None:
        self.events.append(message)


@pytest.fixture(scope="session")
def loaded() -> Loaded:
    random = np.random.default_rng(0)
    base = random.integers(60, 180, (1, 3, 64, 64))
    train = (base + random.integers(-5, 5, (10, 3, 64, 64))).astype(np.uint8)
    test = train[:4].copy()
    masks = np.zeros((4, 64, 64), bool)
    masks[2:, 20:40, 20:40] = True
    test[2:, :, 20:40, 20:40] = 255
    names = tuple(f"{i}.png" for i in range(10))
    product = Product(
        "part", train, names, tuple(f"{i:064d}" for i in range(10)), test, names[:4],
        ("good", "good", "hole", "hole"), masks.any((1, 2)), masks, "train", "test",
        Licence("license.txt", "CC BY"),
    )  # fmt: skip
    textures = Textures(procedural_textures(64), PROCEDURAL_TEXTURES)
    return Loaded(product, textures, EncoderWeights("random", None))


@pytest.fixture(scope="session")
def trial() -> Trial:
    method = build(
        MethodConfig,
        {
            "image.size": 64,
            "memory.samples": 2,
            "training.max_steps": 2,
            "training.batch_size": 4,
            "training.precision": "fp32",
            "validation.held_out_least": 2,
            "validation.held_out_most": 2,
        },
    )
    return Trial("part", 0, method, Inputs("train", "test", "procedural:1", "random"))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(open_folder(tmp_path))


def test_an_attempt_commits_everything_that_a_registry_needs(
    trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    assert attempt(trial, lambda: loaded, Placement(), ledger, Told()) is None
    record = ledger.record("part", trial.key)
    assert isinstance(record, Done)
    result = record.result
    assert result["metrics"].keys() >= {"image_auroc", "pixel_auroc", "aupro"}
    assert 0 <= result["synthetic"]["score"] <= 1
    assert result["encoder_weights"] == "random"
    assert result["bottleneck_weights"] == "random"
    roles = set(result["memory_samples"]), set(result["held_out"])
    assert not roles[0] & roles[1]
    assert result["training_images"] == 10 - 2 - 2
    folder = ledger.trial_folder("part", trial.key)
    assert folder.exists("examples.png")
    assert folder.read("losses.csv").startswith(b"step,loss,l1,focal\n2,")
    assert result["data_licence"] == {"file": "license.txt", "first_line": "CC BY"}


@pytest.mark.parametrize("reported", ["last", "validation"])
def test_new_test_images_are_evaluated_without_training(
    trial: Trial, loaded: Loaded, ledger: Ledger, reported: str
) -> None:
    method = build(MethodConfig, {
        **trial.method.by_name, "training.reported_step": reported, "training.judged_every": 1,
    })  # fmt: skip
    trial = replace(trial, method=method)
    assert attempt(trial, lambda: loaded, Placement(), ledger, Told()) is None
    again = replace(trial, inputs=replace(trial.inputs, test_fingerprint="more"))
    assert ledger.trained([again]) == {again.key: trial.key}
    told = Told()
    donor = ledger.trained([again])[again.key]
    assert isinstance(loaded.product, Product)
    more = replace(loaded, product=replace(loaded.product, test_fingerprint="more"))
    assert attempt(again, lambda: more, Placement(), ledger, told, donor=donor) is None
    assert told.steps == []
    assert "only evaluated" in told.events[0]
    first, second = (ledger.record("part", t.key) for t in (trial, again))
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    for name in ("weights_sha256", "metrics", "synthetic"):
        assert first.result[name] == second.result[name]
    assert ("reported_step" in first.result) == (reported == "validation")
    assert first.result.get("reported_step") == second.result.get("reported_step")
    kept = [ledger.trial_folder("part", t.key).read("losses.csv") for t in (trial, again)]
    assert kept[0] == kept[1]


def test_weights_that_were_changed_on_disk_are_not_evaluated_but_trained_again(
    trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    assert attempt(trial, lambda: loaded, Placement(), ledger, Told()) is None
    folder = ledger.trial_folder("part", trial.key)
    folder.write("model.safetensors", folder.read("model.safetensors")[:-1] + b"?")
    again = replace(trial, inputs=replace(trial.inputs, test_fingerprint="more"))
    assert isinstance(loaded.product, Product)
    more = replace(loaded, product=replace(loaded.product, test_fingerprint="more"))
    told = Told()
    assert attempt(again, lambda: more, Placement(), ledger, told, donor=trial.key) is None
    assert told.steps
    assert "trained again" in told.events[0]


@pytest.mark.parametrize("name", ["train_fingerprint", "test_fingerprint"])
def test_images_that_changed_since_the_plan_give_no_result(
    trial: Trial, loaded: Loaded, ledger: Ledger, name: str
) -> None:
    assert isinstance(loaded.product, Product)
    other = replace(loaded, product=replace(loaded.product, **{name: "another"}))
    assert attempt(trial, lambda: other, Placement(), ledger, Told()) == "storage"
    record = ledger.record("part", trial.key)
    assert isinstance(record, Failed)
    assert "changed since the sweep was planned" in record.failure["message"]


def test_a_load_that_fails_unexpectedly_is_recorded_with_its_traceback(
    trial: Trial, ledger: Ledger
) -> None:
    def load() -> Loaded:
        raise ZeroDivisionError("in the decoder")

    assert attempt(trial, load, Placement(), ledger, Told()) == "bug"
    record = ledger.record("part", trial.key)
    assert isinstance(record, Failed)
    assert "in the decoder" in record.failure["traceback"]


def test_a_result_that_cannot_be_committed_is_a_failure(
    trial: Trial, loaded: Loaded, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Ledger, result: object) -> None:
        raise StorageError("no space left on device")

    monkeypatch.setattr(Ledger, "commit", full)
    assert attempt(trial, lambda: loaded, Placement(), ledger, Told()) == "storage"


def test_another_seed_has_no_donor(trial: Trial, loaded: Loaded, ledger: Ledger) -> None:
    assert attempt(trial, lambda: loaded, Placement(), ledger, Told()) is None
    assert ledger.trained([replace(trial, seed=1)]) == {}


def test_an_input_that_could_not_be_loaded_is_the_trials_failure(
    trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    error = DataError("part/train/good/3.png is empty")
    broken = replace(loaded, product=NotLoaded(error, ("train", "test")))
    assert attempt(trial, lambda: broken, Placement(), ledger, Told()) == "data"
    record = ledger.record("part", trial.key)
    assert isinstance(record, Failed)
    assert record.failure["message"] == "part/train/good/3.png is empty"
    assert record.failure["traceback"] is None


@pytest.mark.parametrize("found", [None, ("train", "other")])
def test_an_input_that_is_not_what_was_planned_says_nothing_about_the_trial(
    trial: Trial, loaded: Loaded, ledger: Ledger, found: tuple[str, str] | None
) -> None:
    """The disk is not mounted, or a file is just copied: later the same key may be trained."""
    broken = replace(loaded, product=NotLoaded(EmptyDataError("there is no category"), found))
    assert attempt(trial, lambda: broken, Placement(), ledger, Told()) == "storage"
    record = ledger.record("part", trial.key)
    assert isinstance(record, Failed)
    assert "is the disk mounted" in record.failure["message"]
    assert "(there is no category)" in record.failure["message"]


def test_a_storage_failure_counts_its_attempts(
    trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    broken = replace(loaded, textures=NotLoaded(StorageError("the bucket does not answer"), None))
    assert attempt(trial, lambda: broken, Placement(), ledger, Told(), ("storage",)) == "storage"
    record = ledger.record("part", trial.key)
    assert isinstance(record, Failed)
    assert record.failure["attempts"] == 2


def test_a_missing_gpu_is_said(
    trial: Trial, loaded: Loaded, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    placement = Placement(device="cuda")
    assert attempt(trial, lambda: loaded, placement, ledger, Told()) == "device"


def test_a_representative_memory_holds_no_held_out_image_and_leaves_the_rest_to_train(
    trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    found = {}
    for selection in ("random", "representative"):
        method = build(
            MethodConfig, {**flatten_config(trial.method), "memory.selection": selection}
        )
        one = replace(trial, method=method)
        assert attempt(one, lambda: loaded, Placement(), ledger, Told()) is None
        state = ledger.record(one.category, one.key)
        assert isinstance(state, Done)
        found[selection] = state.result
    random, chosen = found["random"], found["representative"]
    assert chosen["held_out"] == random["held_out"]
    assert len(chosen["memory_samples"]) == 2
    assert not {*chosen["memory_samples"]} & {*chosen["held_out"]}
    assert chosen["training_images"] == random["training_images"]
    network, roles = network_of(
        one, loaded.product, loaded.encoder, make_execution("cpu", "fp32", True)
    )
    assert [loaded.product.train_names[i] for i in roles.memory] == chosen["memory_samples"]
    assert network.memory is not None
    assert np.array_equal(network.memory.images.numpy(), loaded.product.train[list(roles.memory)])
    assert sorted((*roles.memory, *roles.training, *roles.held_out)) == list(range(10))
    without = replace(
        one, method=build(MethodConfig, {**flatten_config(one.method), "model.memory": False})
    )
    network, left = network_of(
        without, loaded.product, loaded.encoder, make_execution("cpu", "fp32", True)
    )
    assert network.memory is None
    assert left == roles  # the images of the memory are not trained on without one either


@pytest.mark.parametrize("rank", [0, 1])
def test_one_of_several_workers_that_fails_says_why_and_ends_the_others(
    trial: Trial, loaded: Loaded, ledger: Ledger, rank: int
) -> None:
    """Where it returned instead, the others would wait for it for half an hour."""
    broken = replace(loaded, textures=NotLoaded(StorageError("the bucket does not answer"), None))
    workers = Workers(rank, 2)
    with pytest.raises(StorageError, match="does not answer"):
        attempt(trial, lambda: broken, Placement(), ledger, Told(), workers=workers)
    record = ledger.record("part", trial.key)
    assert isinstance(record, Failed)
    assert record.failure["kind"] == "storage"


def test_a_worker_that_the_leader_left_does_not_write_over_the_leaders_reason(
    trial: Trial, loaded: Loaded, ledger: Ledger
) -> None:
    ledger.fail(failure(trial, "out_of_memory", "no memory for the checkpoint", 1))

    def load() -> Loaded:
        raise RuntimeError("Timed out waiting 1800000ms for send operation")

    said = attempt(trial, load, Placement(), ledger, Told(), workers=Workers(1, 2))
    assert said == "bug"
    record = ledger.record("part", trial.key)
    assert isinstance(record, Failed)
    assert record.failure["message"] == "no memory for the checkpoint"


def test_held_out_images_alone_choose_and_set_thresholds(
    trial: Trial, loaded: Loaded, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, real = [], trial_run.synthetic_maps

    def noted(network: Any, images: Any, *more: Any) -> Any:
        seen.append(images)
        return real(network, images, *more)

    monkeypatch.setattr(trial_run, "synthetic_maps", noted)
    assert attempt(trial, lambda: loaded, Placement(), ledger, Told()) is None
    record = ledger.record("part", trial.key)
    assert isinstance(record, Done)
    held_out = record.result["held_out"]
    assert record.result["thresholds"]["held_out"] == len(held_out) == 2
    product = loaded.inputs(trial.inputs, "part").product
    places = [product.train_names.index(name) for name in held_out]
    (images,) = seen
    assert np.array_equal(images, product.train[places])


def test_what_judges_in_the_middle_of_a_training_sees_held_out_images(
    trial: Trial, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = loaded.inputs(trial.inputs, "part").product
    roles, seen = Roles(held_out=(2, 3), memory=(0, 1), training=(4, 5, 6)), []

    def noted(network: Any, images: Any, *more: Any) -> Any:
        seen.append(images)
        return Mock(score=0.5)

    monkeypatch.setattr(scoring, "evaluate_synthetic", noted)
    execution = make_execution("cpu", "fp32", channels_last=False)
    assert scoring.on_validation(Mock(), trial, product, roles, execution, 4)() == 0.5
    assert np.array_equal(seen[0], product.train[[2, 3]])


@pytest.mark.parametrize(
    ("earlier", "batch"), [((), 8), (("storage",), 8), (("storage", "out_of_memory"), 1)]
)
def test_after_no_memory_images_are_evaluated_one_by_one(
    trial: Trial, loaded: Loaded, ledger: Ledger, monkeypatch: pytest.MonkeyPatch,
    earlier: tuple[str, ...], batch: int,
) -> None:  # fmt: skip
    seen = []

    def noted(trial: Trial, inputs: Any, placement: Placement, *more: Any) -> None:
        seen.append(placement.evaluation_batch)

    monkeypatch.setattr(attempt_room, "run_trial", noted)
    attempt(trial, lambda: loaded, Placement(evaluation_batch=8), ledger, Told(), earlier)
    assert seen == [batch]
