"""What a listing says of trials' files."""

from __future__ import annotations

import pytest

from memseg.errors import DataError
from memseg.storage import Folder
from orchestrator.ledger.listing import keys_with, list_records


def test_a_listing_tells_results_failures_and_neither(workspace: Folder) -> None:
    for path in (
        "both/result.json", "both/failure.json", "done/result.json", "done/model.safetensors",
        "failed/failure.json", "running/checkpoints/result.json", "stray.json",
        "claimed/claim.json",
    ):  # fmt: skip
        workspace.write(f"trials/screw/{path}", b"12345")
    found = list_records(workspace, "screw")
    assert list(found) == ["both", "claimed", "done", "failed"]
    assert {key: stamp and stamp.size for key, stamp in found.items()} == {
        "both": 5, "claimed": None, "done": 5, "failed": None,
    }  # fmt: skip
    assert keys_with(workspace, "screw", ("model.safetensors", "examples.png")) == {"done"}
    assert list_records(workspace, "tile") == {}
    with pytest.raises(DataError):
        list_records(workspace, "..")
