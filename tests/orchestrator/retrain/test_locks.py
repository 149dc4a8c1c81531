"""One retraining at a time over a workspace, on each storage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memseg.errors import SettingError
from memseg.storage import Folder, open_folder
from orchestrator.retrain.lock import LOCK, only_one


def test_a_second_one_is_refused_until_the_first_ends(workspace: Folder) -> None:
    with only_one(workspace):
        refused = pytest.raises(SettingError, match=r"another orchestrator\.retrain runs over")
        with refused, only_one(workspace):
            pass
    with only_one(workspace):
        pass


def test_an_error_in_the_block_frees_it(workspace: Folder) -> None:
    with pytest.raises(KeyboardInterrupt), only_one(workspace):
        raise KeyboardInterrupt
    with only_one(workspace):
        pass


def test_two_workspaces_do_not_meet(tmp_path: Path) -> None:
    with only_one(open_folder(tmp_path / "a")), only_one(open_folder(tmp_path / "b")):
        pass


@pytest.mark.parametrize("content", [{"owner": "x", "until": 1.0}, [], {"until": "soon"}])
def test_a_lapsed_or_damaged_claim_holds_nobody(workspace: Folder, content: object) -> None:
    workspace.write(LOCK, json.dumps(content).encode())
    with only_one(workspace):
        pass
