"""Whatever becomes of a ledger, its tables are the same bytes with an index and without."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memseg.storage import open_folder
from orchestrator.aggregation.tables import make_tables
from orchestrator.aggregation.write import render_files
from orchestrator.ledger.index import index_files
from orchestrator.ledger.ledger import Ledger, Record
from orchestrator.ledger.reading import read_records
from orchestrator.ledger.rebuild import rebuild_index
from orchestrator.planning.plan import Plan
from orchestrator.planning.trial import Trial

Make = Callable[..., Any]
CHANGES = (
    "commit", "commit again", "commit again", "fail", "delete", "leave only weights", "rebuild",
    "rebuild", "damage the index", "cut the index", "delete the index",
)  # fmt: skip


@dataclass
class Workspace:
    """A ledger on a disk whose files are older than now, each with a time of its own."""

    root: Path
    done_of: Make
    clock_s: int = 1_700_000_000
    said: list[str] = field(default_factory=list)

    @property
    def ledger(self) -> Ledger:
        return Ledger(open_folder(self.root))

    def index(self) -> Path | None:
        found = index_files(open_folder(self.root))
        return self.root / found[0] if found else None

    def change(self, what: str, trial: Trial, number: int) -> None:
        folder = self.root / "trials" / trial.category / trial.key
        if what in ("commit", "commit again"):
            # As long as the other one: only the time tells them apart.
            weights = f"{number if what == 'commit again' else 0:04d}"
            record = self.done_of(trial, image=0.5 + (number % 8) / 16, weights_sha256=weights)
            self.ledger.commit({"settings": trial.settings, **record.result})
            self._age(folder / "result.json")
        elif what == "fail":
            self.ledger.fail({"category": trial.category, "key": trial.key, "kind": "lost",
                              "message": f"gone {number % 2}", "attempts": 1})  # fmt: skip
        elif what == "delete":
            open_folder(self.root).delete_folder(f"trials/{trial.category}/{trial.key}")
        elif what == "leave only weights":
            (folder / "result.json").unlink(missing_ok=True)
            self.ledger.trial_folder(trial.category, trial.key).write("model.safetensors", b"w")
        elif what == "rebuild":
            rebuild_index(open_folder(self.root))
        elif (index := self.index()) is not None:
            data = bytearray(index.read_bytes())
            if what == "damage the index":
                data[number * 31 % len(data)] ^= 1 << number % 8
            index.write_bytes(data[: len(data) // 2] if what == "cut the index" else data)
            if what == "delete the index":
                index.unlink()

    def _age(self, file: Path) -> None:
        self.clock_s += 1
        os.utime(file, (self.clock_s, self.clock_s))


def _without(ledger: Ledger, plan: Plan) -> Mapping[str, Record]:
    """Every record read from its own file, one after the other."""
    found = {t.key: ledger.record(t.category, t.key) for t in plan.trials}
    return {key: record for key, record in found.items() if record is not None}


@settings(max_examples=20, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 3), st.integers(0, 999)),
                min_size=15, max_size=30))  # fmt: skip
def test_tables_are_the_same_after_any_changes(
    plan_of: Make, done_of: Make, changes: list[tuple[str, int, int]]
) -> None:
    plan = plan_of(("screw", "tile"), rates=(0.02, 0.04))
    with tempfile.TemporaryDirectory() as root:
        workspace = Workspace(Path(root), done_of)
        for what, index, number in changes:
            workspace.change(what, plan.trials[index], number)
            expected = _without(workspace.ledger, plan)
            found = read_records(workspace.ledger, plan.trials, workspace.said.append)
            assert found == expected
        tables = render_files(make_tables(plan, found))
        assert tables == render_files(make_tables(plan, expected))


@pytest.mark.parametrize("what", ["commit", "commit again", "fail", "delete"])
def test_a_change_after_the_index_was_made_is_seen(
    tmp_path: Path, plan_of: Make, done_of: Make, what: str
) -> None:
    plan = plan_of(("screw", "tile"))
    workspace = Workspace(tmp_path, done_of)
    first, second, *_ = plan.trials
    workspace.change("commit", first, 1)
    workspace.change("fail", second, 0)
    workspace.change("rebuild", first, 0)
    workspace.change(what, second if what == "commit" else first, 5)
    found = read_records(workspace.ledger, plan.trials, workspace.said.append)
    assert found == _without(workspace.ledger, plan)
    assert not workspace.said
