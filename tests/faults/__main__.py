"""Does every fault to a small sweep and prints what was lost.

    python -m tests.faults                 all of them: minutes on two cores
    python -m tests.faults worker disk     some of them
    python -m tests.faults --out FILE      also writes the table, Markdown

Exit code 1 where a finished trial was lost or run again, or a table differs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from memseg.data.demo import draw_demo
from orchestrator.aggregation.markdown_table import cell, table
from tests.faults.harness import Lines, Sweep
from tests.faults.lab import Lab, Row
from tests.faults.scenarios import SCENARIOS

HEADER = (
    "fault", "what was done", "exit codes", "finished trials lost", "run again",
    "auroc.csv equal", "failed attempts", "seconds",
)  # fmt: skip


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("faults", nargs="*", help=f"of: {', '.join(SCENARIOS)}")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    unknown = set(options.faults) - set(SCENARIOS)
    if unknown:
        parser.error(f"unknown faults {', '.join(sorted(unknown))}; of: {', '.join(SCENARIOS)}")
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        rows = _rows(folder, options.faults or list(SCENARIOS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = "\n".join(table(HEADER, map(_cells, rows), {HEADER[3], HEADER[4], HEADER[7]})) + "\n"
    sys.stdout.write(text)
    if options.out:
        options.out.write_text(text)
    return int(any(row.lost or row.again or not row.equal for row in rows))


def _rows(folder: Path, faults: list[str]) -> list[Row]:
    draw_demo(folder / "lines", size=64, normal=14)
    os.environ.update(_ray_environment(folder))
    lines = Lines(str(folder / "lines"), dict(os.environ))
    undisturbed = Sweep(lines, str(folder / "undisturbed"))
    if undisturbed.run() != 0:
        raise SystemExit(undisturbed.output[-1])
    lab = Lab(lines, folder, undisturbed.auroc())
    rows = []
    for name in faults:
        sys.stderr.write(f"{name} ...\n")
        try:
            rows.append(SCENARIOS[name](lab))
        except Exception:  # noqa: BLE001  the other faults are still to be shown
            sys.stderr.write(traceback.format_exc())
            rows.append(Row(name, "NOT DONE, see above", (), 0, 0, False, "", 0.0))
        sys.stderr.write(f"{' | '.join(_cells(rows[-1]))}\n")
    return rows


def _ray_environment(folder: Path) -> dict[str, str]:
    """A Ray of its own: token, temporary files, quick checks; never another cluster."""
    token = folder / "token"
    token.write_text("b" * 64)
    os.environ.pop("RAY_ADDRESS", None)
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
        "OMP_NUM_THREADS": "1",
    }


def _cells(row: Row) -> list[str]:
    codes = ", ".join(map(str, row.exit_codes))
    return [
        row.fault, cell(row.done), codes, str(row.lost), str(row.again),
        "yes" if row.equal else "NO", cell(row.failures), f"{row.seconds:.0f}",
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
