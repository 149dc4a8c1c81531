"""Planning, reading and tables with very many recorded trials on a local disk.

    python tests/benchmarks/bench_scale.py                   # 100,000 trials, about 1 GB
    python tests/benchmarks/bench_scale.py --trials 4000

Each phase runs in a process of its own, whose peak memory is the whole process's: libraries, plan,
records and tables. Targets at 100,000 trials: planning in 5 s; reading and tables in 20 s and
1 GB with the index. Tables with the index must be the same bytes as without.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from scale_ledger import scale_job, scale_plan, write_ledger

from memseg.storage import open_folder
from orchestrator.aggregation.tables import make_tables
from orchestrator.aggregation.write import write_tables
from orchestrator.ledger.index import index_files
from orchestrator.ledger.ledger import Ledger
from orchestrator.ledger.reading import read_records
from orchestrator.ledger.rebuild import rebuild_index
from orchestrator.planning.plan_file import plan_bytes

T = TypeVar("T")
PHASES: dict[str, Callable[[Path, int], dict[str, Any]]] = {}


def phase(run: Callable[[Path, int], dict[str, Any]]) -> Callable[[Path, int], dict[str, Any]]:
    """A phase by its function's name; it returns what is to be reported, seconds by name."""
    PHASES[run.__name__] = run
    return run


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds and result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


@phase
def planning(workspace: Path, trials: int) -> dict[str, Any]:
    """From a job to trials with their keys, and to the bytes of plan.json."""
    job = scale_job(trials)
    seconds, plan = timed(lambda: scale_plan(job))
    json_seconds, data = timed(lambda: plan_bytes(plan))
    return {"plan": seconds, "plan.json": json_seconds, "trials": len(plan.trials),
            "plan_bytes": len(data)}  # fmt: skip


@phase
def making(workspace: Path, trials: int) -> dict[str, Any]:
    """The ledger itself."""
    plan = scale_plan(scale_job(trials))
    seconds, size = timed(lambda: write_ledger(workspace, plan))
    return {"write": seconds, "bytes": size}


@phase
def tables(workspace: Path, trials: int) -> dict[str, Any]:
    """What a sweep pays for that has nothing left to do; with the index if it is there."""
    plan = scale_plan(scale_job(trials))
    ledger = Ledger(open_folder(workspace))
    read, records = timed(lambda: read_records(ledger, plan.trials))
    made, found = timed(lambda: make_tables(plan, records))
    folder = ledger.workspace.sub("sweeps/scale")
    written, names = timed(lambda: write_tables(folder, found))
    digest = hashlib.sha256(b"".join(folder.read(name) for name in sorted(names))).hexdigest()
    return {"read": read, "make": made, "write": written, "digest": digest, "done": found.done}


@phase
def indexing(workspace: Path, trials: int) -> dict[str, Any]:
    """The command that makes the index."""
    seconds, rebuilt = timed(lambda: rebuild_index(open_folder(workspace)))
    return {"index": seconds, "results": rebuilt.results, "bytes": rebuilt.size}


def in_a_process(name: str, workspace: Path, trials: int) -> dict[str, Any]:
    """A phase's report with its peak memory in MB (10^6 bytes)."""
    done = subprocess.run(
        [sys.executable, __file__, "--phase", name, "--folder", str(workspace),
         "--trials", str(trials)],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def line(what: str, seconds: float, found: dict[str, Any], more: str = "") -> None:
    """Prints a row."""
    print(f"{what:<34}{seconds:8.1f} s{found['peak_mb']:8.0f} MB   {more}", flush=True)


def report(workspace: Path, trials: int) -> bool:
    """Runs all phases; whether tables with and without the index are the same bytes."""
    found = in_a_process("planning", workspace, trials)
    print(f"{found['trials']} trials{'':<20}{'time':>12}{'peak memory':>14}")
    line("planning (target 5 s)", found["plan"], found)
    line("plan.json", found["plan.json"], found, f"{found['plan_bytes'] / 1e6:.0f} MB")
    if not (workspace / "trials").exists():
        found = in_a_process("making", workspace, trials)
        line("(writing the ledger)", found["write"], found, f"{found['bytes'] / 1e6:.0f} MB")
        time.sleep(3)  # what was written just now is not indexed
    folder = open_folder(workspace)
    for path in index_files(folder):
        folder.delete(path)
    without = tables_line("without index", workspace, trials)
    found = in_a_process("indexing", workspace, trials)
    line("making the index", found["index"], found,
         f"{found['results']} results, {found['bytes'] / 1e6:.0f} MB")  # fmt: skip
    return tables_line("with index (target 20 s, 1 GB)", workspace, trials) == without


def tables_line(what: str, workspace: Path, trials: int) -> str:
    """Prints a row; returns the digest of all tables."""
    found = in_a_process("tables", workspace, trials)
    parts = f"read {found['read']:.1f}, make {found['make']:.1f}, write {found['write']:.1f}"
    line(what, found["read"] + found["make"] + found["write"], found,
         f"{parts}; {found['done']} done")  # fmt: skip
    return str(found["digest"])


def main() -> int:
    """All phases, or one of them in this process; 1 where the index changes a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--folder", help="an empty or earlier folder that is kept; else temporary")
    parser.add_argument("--phase", choices=sorted(PHASES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.phase:
        found = PHASES[options.phase](Path(options.folder), options.trials)
        # Linux counts in KiB.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({**found, "peak_mb": peak / 1e6}))
        return 0
    if options.folder:
        same = report(Path(options.folder), options.trials)
    else:
        with tempfile.TemporaryDirectory() as folder:
            same = report(Path(folder), options.trials)
    print("tables with and without the index: the same bytes" if same else "TABLES DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
