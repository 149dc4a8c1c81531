"""``tables``: a sweep's tables once more, without training."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from orchestrator.registry.commands.common import OK, PROBLEMS, console, open_workspace


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    tables = commands.add_parser(
        "tables", parents=[common],
        help="writes and prints a sweep's tables again, from its plan and the ledger",
    )  # fmt: skip
    tables.add_argument("sweep", metavar="SWEEP", help="name of a folder in sweeps/")
    tables.set_defaults(run=_tables)


def _tables(arguments: argparse.Namespace) -> int:
    # pyarrow's tables take a while to import: only where they are made.
    from orchestrator.aggregation.terminal import print_tables
    from orchestrator.aggregation.write import table_places
    from orchestrator.registry.tables import rebuild_tables

    workspace = open_workspace(arguments.workspace)
    rebuilt = rebuild_tables(workspace, arguments.sweep, _note)
    print_tables(console(), rebuilt.tables, table_places(rebuilt.folder))
    return OK if rebuilt.tables.complete else PROBLEMS


def _note(said: str) -> None:
    sys.stderr.write(f"{said}\n")
