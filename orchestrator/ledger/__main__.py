"""``python -m orchestrator.ledger index --workspace DIR``: makes the ledger's index anew.

Exit codes: 0 it is made; 2 the command or its input is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from memseg.command_line import OK, answered
from memseg.errors import StorageError
from memseg.storage import open_folder
from memseg.words import counted
from orchestrator.ledger.rebuild import Rebuilt, rebuild_index

_MOST_SHOWN = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""

    def work() -> int:
        arguments = _parser().parse_args(argv)
        workspace = open_folder(arguments.workspace)
        if not workspace.exists():
            raise StorageError(f"workspace {workspace.path} does not exist: give --workspace DIR")
        start = time.perf_counter()
        rebuilt = rebuild_index(workspace)
        sys.stdout.write(_report(rebuilt, workspace.at(rebuilt.path), time.perf_counter() - start))
        return OK

    return answered(work, "interrupted: the index is as it was")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.ledger",
        description="Keeps the ledger of a workspace fast to read.",
        epilog="exit codes: 0 the index is made, 2 the command is wrong",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    index = commands.add_parser(
        "index", help="reads all results into one file, which tables are then made from"
    )
    index.add_argument(
        "--workspace",
        default=os.environ.get("MEMSEG_WORKSPACE") or "runs",
        metavar="DIR",
        help="folder or URI of the workspace (default: MEMSEG_WORKSPACE, else runs)",
    )
    return parser


def _report(rebuilt: Rebuilt, where: str, seconds: float) -> str:
    lines = [
        f"{counted(rebuilt.results, 'result')} of "
        f"{counted(rebuilt.categories, 'category', 'categories')} in {seconds:.1f} s, "
        f"{rebuilt.size / 1e6:.1f} MB: {where}"
    ]
    if rebuilt.fresh:
        lines.append(
            f"left out, changed only just now or on a store without times: "
            f"{counted(rebuilt.fresh, 'result')}, read from the files themselves"
        )
    lines += [f"left out: {reason}" for reason in rebuilt.unreadable[:_MOST_SHOWN]]
    more = len(rebuilt.unreadable) - _MOST_SHOWN
    if more > 0:
        lines.append(f"left out: {more} more that cannot be read")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
