"""Which images models are judged by: none that one of them knows."""

from __future__ import annotations

from typing import Any

import pytest

from memseg.errors import RegistryError
from memseg.storage import Folder
from orchestrator.ledger.contents import record_contents
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.registry.seen import seen_images
from orchestrator.retrain.judging_images import JudgingImages, judging_images

THEN = {f"train/good/{i}.png": f"sha{i}" for i in range(4)} | {"test/good/5.png": "sha5"}
TRAIN = tuple(f"sha{i}" for i in range(4))


class Champion:
    """A registry version that held out image 0 of ``THEN``."""

    category, id = "screw", "v1"
    start: dict[str, Any] | None = None

    def read_json(self, name: str) -> Any:
        assert name == "provenance.json"
        return {
            "inputs": {"train_fingerprint": "1" * 64, "test_fingerprint": "2" * 64},
            "held_out": ["screw/train/good/0.png"],
            **({"warm_start": self.start} if self.start else {}),
        }


def judging(workspace: Folder, now: dict[str, str], *names: str, **start: Any) -> JudgingImages:
    champion = Champion()
    champion.start = start or None
    seen = seen_images(champion, workspace)  # type: ignore[arg-type]
    held_out = [f"screw/train/good/{name}.png" for name in names]
    return judging_images("screw", held_out, now, "train/good", [seen])


def unseen(workspace: Folder, now: dict[str, str], *names: str, **start: Any) -> tuple[str, ...]:
    return judging(workspace, now, *names, **start).normal


@pytest.fixture
def recorded(quick_workspace: Folder) -> Folder:
    line = CategoryInventory(
        "screw", train_fingerprint="1" * 64, test_fingerprint="2" * 64, files=THEN,
        train_hashes=TRAIN,
    )  # fmt: skip
    record_contents(quick_workspace, line)
    return quick_workspace


def test_what_it_held_out_and_what_is_new_it_does_not_know(recorded: Folder) -> None:
    now = {**THEN, "train/good/9.png": "sha9"}
    assert unseen(recorded, now, "0", "1", "9") == (
        "screw/train/good/0.png",
        "screw/train/good/9.png",
    )


def test_an_image_under_another_name_is_known_again(recorded: Folder) -> None:
    assert unseen(recorded, {"train/good/7.png": "sha1"}, "7") == ()


def test_an_edited_image_is_a_new_one(recorded: Folder) -> None:
    assert unseen(recorded, {"train/good/1.png": "other"}, "1") == ("screw/train/good/1.png",)


def test_a_copy_of_a_trained_image_that_was_held_out_is_known(recorded: Folder) -> None:
    now = {"train/good/0.png": "sha2"}
    assert unseen(recorded, now, "0") == ()


def test_what_it_started_from_it_knows_too(recorded: Folder) -> None:
    now = {**THEN, "train/good/9.png": "sha9"}
    start: dict[str, Any] = {"version": "v0", "held_out_seen": 1, "seen": ["sha0", "sha7"]}
    assert unseen(recorded, now, "0", "9", **start) == ("screw/train/good/9.png",)
    start["seen"] = None  # not known: then nothing is certain
    found = judging(recorded, now, "0", "9", **start)
    assert (found.normal, found.recorded) == ((), False)


def test_an_image_that_any_model_knows_judges_none() -> None:
    now = {f"train/good/{i}.png": f"sha{i}" for i in range(3)}
    models = [frozenset({"sha0"}), frozenset({"sha1"})]
    found = judging_images("screw", [f"screw/{n}" for n in now], now, "train/good", models)
    assert found.normal == ("screw/train/good/2.png",)


def test_a_training_image_that_is_a_test_image_now_is_left_out(recorded: Folder) -> None:
    now = {"train/good/2.png": "sha2", "test/good/1.png": "sha1", "test/good/0.png": "sha0",
           "test/good/5.png": "sha5", "test/bad/6.png": "sha6"}  # fmt: skip
    assert judging(recorded, now).known_tests == ("screw/test/good/1.png",)


def test_a_test_image_that_is_a_training_image_now_is_not_known(recorded: Folder) -> None:
    assert unseen(recorded, {"train/good/5.png": "sha5"}, "5") == ("screw/train/good/5.png",)


def test_without_a_record_nothing_is_certain(quick_workspace: Folder) -> None:
    found = judging(quick_workspace, THEN, "0")
    assert (found.normal, found.known_tests, found.recorded) == ((), (), False)


def test_a_held_out_image_that_is_gone_is_an_error(recorded: Folder) -> None:
    with pytest.raises(RegistryError, match="not among the images any more"):
        unseen(recorded, {}, "0")
