"""Writes RESULTS.md from the small result files under results/.

python -m orchestrator.results                     writes RESULTS.md
python -m orchestrator.results --check             exit code 1 where it is not up to date
python -m orchestrator.results add WORKSPACE EXPERIMENT [--sweep NAME ...]
                                                   copies finished trials into results/
python -m orchestrator.results add WORKSPACE EXPERIMENT --reproduced SWEEP
                                                   copies the tables of orchestrator.reproduce
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from memseg.errors import MemSegError, StorageError
from memseg.storage import open_folder
from orchestrator.results.files import ABOUT, add_reproduced, add_results, read_experiments
from orchestrator.results.markdown import render

OK, DIFFERS, WRONG = 0, 1, 2
OUT = "RESULTS.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 where --check finds a difference, 2 for input that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "add":
            return _add(options)
        return _write(options)
    except MemSegError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.results",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--results", default="results", help="folder of experiments")
    parser.add_argument("--out", default=".", help=f"folder that {OUT} is written into")
    parser.add_argument("--check", action="store_true", help="write nothing, say if it differs")
    commands = parser.add_subparsers(dest="command")
    add = commands.add_parser("add", help="copy finished trials of a workspace")
    add.add_argument("workspace")
    add.add_argument("experiment")
    which = add.add_mutually_exclusive_group()
    which.add_argument(
        "--sweep", action="extend", nargs="+", default=[], help="only trials of these sweeps"
    )
    which.add_argument(
        "--reproduced", metavar="SWEEP",
        help="no trials, but the tables of this sweep of reproduce: reproduce-table3",
    )  # fmt: skip
    return parser


def _write(options: argparse.Namespace) -> int:
    text = render(read_experiments(open_folder(options.results))).encode()
    out = open_folder(options.out)
    try:
        before = out.read(OUT)
    except StorageError:
        before = None
    if options.check:
        if before == text:
            sys.stdout.write(f"{OUT} is what the files under {options.results} give\n")
            return OK
        state = "is missing" if before is None else "is not what the files give"
        sys.stdout.write(f"{OUT} {state}: run python -m orchestrator.results\n")
        return DIFFERS
    out.write(OUT, text)
    sys.stdout.write(f"wrote {OUT}{' (unchanged)' if before == text else ''}\n")
    return OK


def _add(options: argparse.Namespace) -> int:
    folder = open_folder(options.results)
    if options.reproduced:
        workspace = open_folder(options.workspace)
        tables = add_reproduced(workspace, options.reproduced, folder, options.experiment)
        sys.stdout.write(
            f"{tables} tables in {options.results}/{options.experiment}; its title, text and "
            f"command are in {ABOUT}\n"
        )
        return OK
    added = add_results(open_folder(options.workspace), options.sweep, folder, options.experiment)
    sys.stdout.write(
        f"{added} new results in {options.results}/{options.experiment}; its title, text and "
        f"command are in {ABOUT}\n"
    )
    return OK


if __name__ == "__main__":
    sys.exit(main())
