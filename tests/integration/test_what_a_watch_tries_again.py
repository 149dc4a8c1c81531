"""Which categories of a batch are to be tried again as they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from memseg.errors import StorageError
from orchestrator.job.read import read_job
from orchestrator.ledger.ledger import Ledger
from orchestrator.retrain import promotion
from orchestrator.retrain.batch import Batch, retrain
from orchestrator.running import roles


@pytest.fixture
def batch(small: Sequence[str], product_lines: Path, tmp_path: Path) -> Callable[[], Batch]:
    """Looks at one whole product line and one with too few images."""
    root = tmp_path / "data"
    for name in ("brushed_metal", "connector"):
        shutil.copytree(product_lines / name, root / name)
    for image in sorted((root / "connector" / "train" / "good").iterdir())[3:]:
        image.unlink()
    settings = [
        "--config", "jobs/retrain.yaml", "--data.root", str(root),
        "--workspace", str(tmp_path / "ws"), "--executor", "inline", "--memory.most_share", "1.0",
        "--validation.turned", "1", *small,
    ]  # fmt: skip
    return lambda: retrain(read_job(settings, os.environ, Path.cwd()), Console(quiet=True))


def raises(error: Exception) -> Callable[..., Any]:
    def fails(*_: object) -> Any:
        raise error

    return fails


def test_what_was_lost_or_only_not_judged_is_and_what_fails_for_its_images_or_a_bug_is_not(
    batch: Callable[[], Batch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(roles, "build_network", raises(ZeroDivisionError("a bug")))
        broken = batch()
        patch.setattr(roles, "build_network", raises(MemoryError("no room")))
        lost = batch()
        patch.setattr(Ledger, "fail", lambda *_: None)
        unrecorded = batch()
    assert set(broken.failed) == set(lost.failed) == {"brushed_metal", "connector"}
    assert broken.lost == ()
    assert lost.lost == unrecorded.lost == ("brushed_metal",)
    with monkeypatch.context() as patch:
        patch.setattr(promotion, "_settle", raises(StorageError("a disk is gone")))
        unjudged = batch()
    assert unjudged.lost == ("brushed_metal",)
