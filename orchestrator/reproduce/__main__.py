"""``python -m orchestrator.reproduce WHAT``: the paper's tables and figures.

Exit codes: 0 all trials done; 1 some failed, or their weights are gone (what can be made is written
and marked); 2 the command or its input is wrong, or a file of the workspace cannot be used (one
message); 3 the workspace or the data are gone in the middle, or Ray has ended; 130 interrupted. The
same command again goes on and repeats nothing that is finished.
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
from orchestrator.job.help import reproduce_help
from orchestrator.job.read import read_job
from orchestrator.reproduce.choosing import EVERYTHING, split_arguments, wanted
from orchestrator.reproduce.experiments import EXPERIMENTS
from orchestrator.reproduce.running import reproduce

DEFAULT = "jobs/reproduce.yaml"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    names, options = split_arguments(sys.argv[1:] if argv is None else argv)
    if wants_help(options):
        return show_help(reproduce_help({e.name: e.title for e in EXPERIMENTS}, EVERYTHING))
    if not any(token.partition("=")[0] == "--config" for token in options):
        options = ["--config", DEFAULT, *options]
    console, errors = consoles()

    def run() -> int:
        wanted(names, EXPERIMENTS)  # before the job is read: what is asked for comes first
        job = read_job(options, os.environ, Path.cwd())
        return ALL_DONE if reproduce(job, names, EXPERIMENTS, console) else SOME_FAILED

    return explained(run, errors)


if __name__ == "__main__":
    heed_signals()
    sys.exit(main())
