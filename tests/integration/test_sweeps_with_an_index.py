"""A sweep reads the ledger through its index, and says so where it cannot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.ledger.__main__ import main as ledger
from orchestrator.sweep import main


def test_tables_of_a_sweep_are_the_same_with_an_index_and_with_a_damaged_one(
    small: Sequence[str], product_lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = tmp_path / "ws"

    def sweep() -> dict[str, bytes]:
        assert main([
            "--config", "jobs/paper.yaml", "--name", "test", "--data.root", str(product_lines),
            "--data.categories", "[connector]", "--workspace", str(workspace),
            "--executor", "inline", *small,
        ]) == 0  # fmt: skip
        tables = ("auroc", "average", "trials")
        folder = workspace / "sweeps" / "test"
        return {p.name: p.read_bytes() for p in folder.iterdir() if p.stem in tables}

    first = sweep()
    for result in workspace.glob("trials/*/*/result.json"):
        os.utime(result, (1_700_000_000, 1_700_000_000))
    assert ledger(["index", "--workspace", str(workspace)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 result of 1 category in ")
    assert sweep() == first
    assert "index" not in capsys.readouterr().out
    index = next(workspace.glob("cache/ledger-*.parquet"))
    index.write_bytes(index.read_bytes()[:-1])
    assert sweep() == first
    said = " ".join(capsys.readouterr().out.split())
    assert "is damaged or was cut short" in said
    assert "python -m orchestrator.ledger index" in said
