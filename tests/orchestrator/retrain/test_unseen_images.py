"""Which validation images a champion does not know."""

from __future__ import annotations

from typing import Any

import pytest

from memseg.errors import RegistryError
from memseg.storage import Folder
from orchestrator.ledger.contents import record_contents
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.retrain.known import unseen_images

THEN = {f"train/good/{i}.png": f"sha{i}" for i in range(4)}


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


def unseen(workspace: Folder, now: dict[str, str], *held_out: str) -> tuple[str, ...]:
    names = tuple(f"screw/train/good/{name}.png" for name in held_out)
    return unseen_images(names, now, Champion(), workspace)  # type: ignore[arg-type]


@pytest.fixture
def recorded(quick_workspace: Folder) -> Folder:
    line = CategoryInventory(
        "screw", train_fingerprint="1" * 64, test_fingerprint="2" * 64, files=THEN
    )
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
    names = ("screw/train/good/0.png", "screw/train/good/9.png")
    warm = Champion()
    warm.start = {"version": "v0", "held_out_seen": 1, "seen": ["sha0", "sha7"]}
    assert unseen_images(names, now, warm, recorded) == names[1:]  # type: ignore[arg-type]
    warm.start["seen"] = None  # not known: then nothing is certain
    assert unseen_images(names, now, warm, recorded) == ()  # type: ignore[arg-type]


def test_without_a_record_nothing_is_certain(quick_workspace: Folder) -> None:
    assert unseen(quick_workspace, THEN, "0") == ()


def test_a_held_out_image_that_is_gone_is_an_error(recorded: Folder) -> None:
    with pytest.raises(RegistryError, match="not among the images any more"):
        unseen(recorded, {}, "0")
