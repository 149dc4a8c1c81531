"""The ledger's contract, on each storage."""

from __future__ import annotations

from typing import Any

import pytest

from memseg.config import MethodConfig
from memseg.errors import DataError, StorageError
from memseg.storage import Folder
from orchestrator.ledger.ledger import Done, Failed, Ledger
from orchestrator.ledger.reading import read_records
from orchestrator.planning.trial import Inputs, Trial

KEY = "0123abcd"


def result(key: str = KEY, **changed: Any) -> dict[str, Any]:
    return {"category": "screw", "key": key, "weights_sha256": "w", "metrics": {}, **changed}


def failure(key: str = KEY, **changed: Any) -> dict[str, Any]:
    return {"category": "screw", "key": key, "kind": "lost", "message": "gone", **changed}


def trial(seed: int, category: str = "screw") -> Trial:
    return Trial(category, seed, MethodConfig(), Inputs("train", "test", "procedural:1", "random"))


@pytest.fixture
def ledger(workspace: Folder) -> Ledger:
    return Ledger(workspace)


@pytest.fixture
def quick_ledger(quick_workspace: Folder) -> Ledger:
    return Ledger(quick_workspace)


def test_a_trial_that_nobody_ran_has_no_record(ledger: Ledger) -> None:
    assert ledger.record("screw", KEY) is None
    assert read_records(ledger, [trial(0)]) == {}


def test_a_committed_result_is_read_back_and_its_rests_are_gone(ledger: Ledger) -> None:
    folder = ledger.trial_folder("screw", KEY)
    folder.write("model.safetensors", b"weights")
    folder.write("checkpoints/step-00000001.safetensors", b"state")
    ledger.fail(failure())
    ledger.commit(result())
    assert ledger.record("screw", KEY) == Done(result())
    names = [f.path for f in folder.files(recursive=True)]
    assert names == ["model.safetensors", "result.json"]


def test_a_failure_is_read_back_keeps_checkpoints_and_can_be_forgotten(ledger: Ledger) -> None:
    folder = ledger.trial_folder("screw", KEY)
    folder.write("checkpoints/step-00000001.safetensors", b"state")
    ledger.fail(failure(attempts=1))
    ledger.fail(failure(attempts=2))
    assert ledger.record("screw", KEY) == Failed(failure(attempts=2))
    assert folder.exists("checkpoints/step-00000001.safetensors")
    ledger.clear_failure("screw", KEY)
    ledger.clear_failure("screw", KEY)
    assert ledger.record("screw", KEY) is None


def test_a_failure_is_never_written_over_a_result(ledger: Ledger) -> None:
    ledger.commit(result())
    ledger.fail(failure())
    assert ledger.record("screw", KEY) == Done(result())
    assert not ledger.trial_folder("screw", KEY).exists("failure.json")


def test_a_result_wins_over_a_failure_that_an_interrupted_commit_left(ledger: Ledger) -> None:
    ledger.fail(failure())
    ledger.trial_folder("screw", KEY).write_json("result.json", result())
    assert ledger.record("screw", KEY) == Done(result())


def test_committing_again_keeps_the_first_result(ledger: Ledger) -> None:
    ledger.commit(result(seconds=1))
    ledger.commit(result(seconds=2))
    assert ledger.record("screw", KEY) == Done(result(seconds=1))


def test_a_result_belongs_to_the_weights_that_lie_beside_it(ledger: Ledger) -> None:
    ledger.commit(result(weights_sha256="first"))
    ledger.commit(result(weights_sha256="second"))
    assert ledger.record("screw", KEY) == Done(result(weights_sha256="second"))


@pytest.mark.parametrize(
    "data", [b"", b'{"category": "scr', b"null", b"[]", b"\xff\xfe", b"{}", b'{"key": "other"}']
)
@pytest.mark.parametrize("name", ["result.json", "failure.json"])
def test_a_record_that_is_not_whole_is_an_error_naming_the_file(
    quick_ledger: Ledger, name: str, data: bytes
) -> None:
    folder = quick_ledger.trial_folder("screw", KEY)
    folder.write(name, data)
    with pytest.raises(StorageError, match=rf"screw/{KEY}/{name}"):
        quick_ledger.record("screw", KEY)


def test_another_trials_record_that_is_not_whole_is_no_donor_and_no_error(
    quick_ledger: Ledger,
) -> None:
    wanted = trial(0)
    for key, data in ((KEY, b'{"category": "scr'), ("0123456789abcdef0123", None)):
        folder = quick_ledger.trial_folder("screw", key)
        folder.write("model.safetensors", b"weights")
        if data is None:
            folder.write_json("result.json", result(key, training_key=wanted.training_key))
        else:
            folder.write("result.json", data)
    assert quick_ledger.trained([wanted]) == {wanted.key: "0123456789abcdef0123"}


def test_a_result_that_was_copied_from_another_trial_is_not_this_ones(quick_ledger: Ledger) -> None:
    quick_ledger.trial_folder("screw", KEY).write_json("result.json", result("otherkey"))
    with pytest.raises(StorageError, match="another trial"):
        quick_ledger.record("screw", KEY)


def test_all_records_of_a_plan_are_read_together(ledger: Ledger) -> None:
    trials = [trial(seed, category) for category in ("screw", "tile") for seed in range(3)]
    ledger.commit(result(trials[0].key))
    ledger.fail(failure(trials[1].key))
    ledger.trial_folder("tile", trials[3].key).write("checkpoints/result.json", b"no result")
    ledger.commit(result(trials[4].key, category="tile"))
    ledger.commit(result("notplanned"))
    records = read_records(ledger, trials)
    assert set(records) == {trials[0].key, trials[1].key, trials[4].key}
    assert isinstance(records[trials[0].key], Done)
    assert isinstance(records[trials[1].key], Failed)
    assert records == {
        t.key: found for t in trials if (found := ledger.record(t.category, t.key)) is not None
    }


def test_only_a_trials_weights_are_dropped(ledger: Ledger) -> None:
    ledger.trial_folder("screw", KEY).write("model.safetensors", b"weights")
    ledger.commit(result())
    ledger.drop_weights("screw", KEY)
    assert ledger.record("screw", KEY) == Done(result())
    assert not ledger.trial_folder("screw", KEY).exists("model.safetensors")


def test_what_cannot_be_a_record_is_refused(quick_ledger: Ledger) -> None:
    with pytest.raises(StorageError, match="without its category and key"):
        quick_ledger.commit({"metrics": {}})
    with pytest.raises(StorageError, match=r"result\.json"):
        quick_ledger.commit(result(metrics={"image_auroc": float("nan")}))
    assert quick_ledger.record("screw", KEY) is None
    with pytest.raises(DataError):
        quick_ledger.trial_folder("..", KEY)
    with pytest.raises(StorageError, match="not the key"):
        quick_ledger.trial_folder("screw", "../..")


@pytest.mark.parametrize("kept", range(3))
def test_an_interrupted_commit_is_done_or_not_and_the_next_one_ends_it(
    quick_ledger: Ledger, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Killed before the first, second or third change of the storage."""
    folder = quick_ledger.trial_folder("screw", KEY)
    folder.write("checkpoints/step-00000001.safetensors", b"state")
    quick_ledger.fail(failure())
    changes = []
    with monkeypatch.context() as patch:
        for name in ("write", "delete", "delete_folder"):
            real = getattr(Folder, name)

            def change(self: Folder, *args: Any, real: Any = real) -> None:
                changes.append(args[0])
                if len(changes) > kept:
                    raise KeyboardInterrupt
                real(self, *args)

            patch.setattr(Folder, name, change)
        with pytest.raises(KeyboardInterrupt):
            quick_ledger.commit(result())
    assert changes[0] == "result.json"
    expected = Failed(failure()) if kept == 0 else Done(result())
    assert quick_ledger.record("screw", KEY) == expected
    quick_ledger.commit(result())
    assert [f.path for f in folder.files(recursive=True)] == ["result.json"]
