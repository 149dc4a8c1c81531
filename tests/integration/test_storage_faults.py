"""Sweeps whose storage fails in the middle: what is finished stays, the same command goes on."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from memseg import patience
from memseg.storage import open_folder
from orchestrator.ledger.event_log import read_events
from orchestrator.ledger.ledger import RESULT
from orchestrator.sweep import main

Sweep = Callable[..., int]
Fault = Callable[[Path], OSError | None]


def sweep_into(workspace: Path, small: Sequence[str], product_lines: Path, *arguments: str) -> int:
    """Runs a small inline sweep of two trials."""
    return main([
        "--config", "jobs/paper.yaml",
        "--name", "test",
        "--data.root", str(product_lines),
        "--data.categories", "[brushed_metal,connector]",
        "--workspace", str(workspace),
        "--executor", "inline",
        *small,
        *arguments,
    ])  # fmt: skip


@pytest.fixture
def sweep(
    small: Sequence[str], product_lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Sweep:
    """Runs the sweep into a workspace of this name; nothing waits for real."""
    monkeypatch.setattr(patience.time, "sleep", lambda _: None)
    return lambda workspace, *arguments: sweep_into(
        tmp_path / workspace, small, product_lines, *arguments
    )


@pytest.fixture(scope="module")
def undisturbed(
    small: Sequence[str], product_lines: Path, tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    """The table of a sweep that nothing happened to."""
    workspace = tmp_path_factory.mktemp("undisturbed")
    assert sweep_into(workspace, small, product_lines) == 0
    return auroc(workspace)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fault | None], None]:
    """Sets what happens when a file is put in its place: an error, or nothing (None)."""
    real, faults = Path.replace, list[Fault]()

    def replace(self: Path, target: Path) -> Path:
        error = faults[0](Path(target)) if faults else None
        if error is not None:
            raise error
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)

    def to(fault: Fault | None) -> None:
        faults[:] = [fault] if fault else []

    return to


def auroc(workspace: Path) -> bytes:
    return (workspace / "sweeps" / "test" / "auroc.csv").read_bytes()


def finished(workspace: Path) -> dict[str, Any]:
    return {p.parts[-3]: json.loads(p.read_text()) for p in workspace.rglob(RESULT)}


class After:
    """An error for every file but the first ones named result.json."""

    def __init__(self, results: int, error: OSError) -> None:
        self.left, self.error = results, error

    def __call__(self, target: Path) -> OSError | None:
        if self.left > 0:
            self.left -= target.name == RESULT
            return None
        return self.error


def test_a_storage_that_fails_for_a_while_changes_nothing(
    sweep: Sweep, faulty: Callable[[Fault | None], None], tmp_path: Path, undisturbed: bytes
) -> None:
    calls: list[Path] = []

    def every_third_works(target: Path) -> OSError | None:
        calls.append(target)
        return OSError(errno.ESTALE, "Stale file handle") if len(calls) % 3 else None

    faulty(every_third_works)
    assert sweep("disturbed") == 0
    assert len(calls) > 20
    assert auroc(tmp_path / "disturbed") == undisturbed


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(OSError(errno.EIO, "Input/output error"), "waited 60 s for it", id="gone"),
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device"),
            "make room",
            id="full",
            marks=pytest.mark.long,
        ),
        pytest.param(
            OSError(errno.EROFS, "Read-only file system"),
            "make it writable",
            id="read-only",
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_storage_that_is_gone_or_full_stops_the_sweep_which_goes_on_later(
    sweep: Sweep,
    faulty: Callable[[Fault | None], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    undisturbed: bytes,
    error: OSError,
    said: str,
) -> None:
    faulty(After(1, error))
    capsys.readouterr()
    assert sweep("disturbed") == 3
    shown = " ".join(capsys.readouterr().err.split())
    assert said in shown
    assert "the same command goes on from here" in shown
    assert "Traceback" not in shown
    before = finished(tmp_path / "disturbed")
    assert len(before) == 1
    faulty(None)
    assert sweep("disturbed") == 0
    after = finished(tmp_path / "disturbed")
    assert {name: after[name] for name in before} == before  # not run again, not lost
    assert auroc(tmp_path / "disturbed") == undisturbed


def test_a_disk_too_full_for_a_model_stops_the_sweep_which_publishes_later(
    sweep: Sweep, faulty: Callable[[Fault | None], None], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Tables are small and still fit."""

    def full(target: Path) -> OSError | None:
        return OSError(errno.ENOSPC, "No space left") if "registry" in target.parts else None

    alone = ("full", "--data.categories", "[connector]")
    faulty(full)
    assert sweep(*alone) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "make room" in said
    assert "the same command goes on from here" in said
    assert auroc(tmp_path / "full")
    faulty(None)
    assert sweep(*alone) == 0
    assert list((tmp_path / "full" / "registry").rglob("MODEL_CARD.md"))


def test_failed_attempts_are_in_the_event_log_and_in_their_table(
    sweep: Sweep, faulty: Callable[[Fault | None], None], tmp_path: Path
) -> None:
    """The weights cannot be written, by a right that is missing."""

    def denied(target: Path) -> OSError | None:
        wrong = target.name == "model.safetensors"
        return PermissionError(errno.EACCES, "Permission denied") if wrong else None

    alone = ("denied", "--data.categories", "[connector]")
    faulty(denied)
    assert sweep(*alone) == 1
    folder = tmp_path / "denied" / "sweeps" / "test"
    kinds = [event["event"] for event in read_events(open_folder(folder))]
    assert kinds[0] == "sweep_started"
    assert kinds[-1] == "sweep_ended"
    assert kinds.count("attempt_failed") == 3
    table = pd.read_csv(folder / "failures.csv")
    assert list(table["failure"]) == ["storage"] * 3
    assert list(table["attempt"]) == [1, 2, 3]
    assert list(table["then"]) == ["tried again", "tried again", "gave up"]
    assert "Permission denied" in table["message"][2]
    faulty(None)
    assert sweep(*alone) == 0
    assert list(pd.read_csv(folder / "failures.csv")["then"])[-1] == "done later"
