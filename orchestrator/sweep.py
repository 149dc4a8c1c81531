"""``python -m orchestrator.sweep``: from a job to tables and a registry.

Exit codes: 0 all trials done; 1 some failed (tables are written and marked), or a winner could not
be published; 2 the command or its input is wrong, or a file of the workspace cannot be used (one
message); 3 the workspace or the data are gone in the middle, the disk is full, or Ray has ended
(what is finished is kept, the same command goes on); 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.commands import (
    ALL_DONE,
    SOME_FAILED,
    consoles,
    explained,
    heed_signals,
    show_help,
)
from orchestrator.job.arguments import wants_help
from orchestrator.job.help import help_text
from orchestrator.job.read import read_job
from orchestrator.sweeping import run_job


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a sweep; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if wants_help(arguments):
        return show_help(help_text())
    console, errors = consoles()

    def run() -> int:
        job = read_job(arguments, os.environ, Path.cwd())
        return ALL_DONE if run_job(job, console).complete else SOME_FAILED

    return explained(run, errors)


if __name__ == "__main__":
    heed_signals()
    sys.exit(main())
