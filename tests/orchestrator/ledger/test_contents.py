"""What a category's folder held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memseg.errors import DataError
from memseg.storage import open_folder
from orchestrator.ledger.contents import Contents, record_contents, recorded_contents
from orchestrator.planning.inventory import CategoryInventory

FILES = {"train/good/0.png": "a" * 64, "test/good/0.png": "b" * 64}
LINE = CategoryInventory(
    "screw", train_fingerprint="1" * 64, test_fingerprint="2" * 64, files=FILES,
    train_hashes=("a" * 64,),
)  # fmt: skip
WHOLE = Contents(FILES, frozenset({"a" * 64}))


def test_what_was_recorded_is_found_by_both_fingerprints(tmp_path: Path) -> None:
    workspace = open_folder(tmp_path)
    record_contents(workspace, LINE)
    record_contents(workspace, LINE)
    assert recorded_contents(workspace, "screw", "1" * 64, "2" * 64) == WHOLE
    assert recorded_contents(workspace, "screw", "2" * 64, "2" * 64) is None
    assert recorded_contents(workspace, "tile", "1" * 64, "2" * 64) is None


def test_in_a_record_of_an_earlier_program_any_image_may_be_a_training_image(
    tmp_path: Path,
) -> None:
    workspace = open_folder(tmp_path)
    record_contents(workspace, LINE)
    (path,) = tmp_path.rglob("*.json")
    path.write_text(json.dumps({"files": FILES}))
    found = recorded_contents(workspace, "screw", "1" * 64, "2" * 64)
    assert found == Contents(FILES, frozenset(FILES.values()))


def test_a_category_that_cannot_be_used_leaves_nothing(tmp_path: Path) -> None:
    record_contents(open_folder(tmp_path), CategoryInventory("screw", problem="no images"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 3}'])
def test_a_damaged_record_is_none(tmp_path: Path, content: str) -> None:
    workspace = open_folder(tmp_path)
    record_contents(workspace, LINE)
    (path,) = tmp_path.rglob("*.json")
    path.write_text(content)
    assert recorded_contents(workspace, "screw", "1" * 64, "2" * 64) is None


def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        recorded_contents(open_folder(tmp_path), "../x", "1", "2")
