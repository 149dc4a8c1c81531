"""``python -m orchestrator.retrain``: trains product lines that are new or changed.

Exit codes: 0 all is well, also when there was nothing to do; 1 a product line could not be used,
trained or judged; 2 the command or its input is wrong; 3 the storage is gone or full, or Ray has
ended; 130 interrupted in a training (which goes on at the next start). With --watch a signal
between trainings is a clean end, 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from memseg.errors import StoppedError
from memseg.storage import open_folder
from orchestrator.commands import (
    ALL_DONE,
    SOME_FAILED,
    consoles,
    explained,
    heed_signals,
    show_help,
)
from orchestrator.job.arguments import wants_help
from orchestrator.job.help import retrain_help
from orchestrator.job.job import Job
from orchestrator.job.layouts import layout_of
from orchestrator.job.read import read_job
from orchestrator.retrain.batch import retrain
from orchestrator.retrain.lock import LAPSES_S, only_one
from orchestrator.retrain.oracles import refuse_oracles
from orchestrator.retrain.watch import wait, watch

DEFAULT = "jobs/retrain.yaml"
_OWN = ("watch", "settle", "tolerance", "warm_start")
"""Settings of the group ``retrain`` that the command line also takes without its name."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    arguments = [_own(token) for token in (sys.argv[1:] if argv is None else argv)]
    if wants_help(arguments):
        return show_help(retrain_help())
    if not any(token.partition("=")[0] == "--config" for token in arguments):
        arguments = ["--config", DEFAULT, *arguments]
    console, errors = consoles()

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    def run() -> int:
        job = read_job(arguments, os.environ, Path.cwd())
        refuse_oracles(job)
        if job.config.dry_run:
            return ALL_DONE if retrain(job, console).well else SOME_FAILED
        with only_one(open_folder(job.config.workspace), say) as held:
            if job.config.retrain.watch:
                return _watch(job, console, errors, held)
            well = retrain(job, console).well
            _check_held(held)
            return ALL_DONE if well else SOME_FAILED

    return explained(run, errors)


def _check_held(held: Callable[[], bool]) -> None:
    """Raises StoppedError where another command has taken the workspace meanwhile."""
    if not held():
        raise StoppedError(
            "another orchestrator.retrain works over the workspace: this one could not renew its "
            f"claim for {LAPSES_S:.0f} s or longer, and ends"
        )


def _own(token: str) -> str:
    name, equals, value = token.partition("=")
    own = name.startswith("--") and name[2:] in _OWN
    return f"--retrain.{name[2:]}{equals}{value}" if own else token


def _watch(job: Job, console: Console, errors: Console, held: Callable[[], bool]) -> int:
    settings = job.config.retrain
    root = open_folder(job.config.data.root or "")
    console.print(
        f"watches {root.path}: looks every {settings.watch:g} s, takes what holds still for "
        f"{settings.settle:g} s",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip

    def say(line: str) -> None:
        errors.print(line, style="bold red", markup=False, highlight=False)

    def train(categories: tuple[str, ...]) -> tuple[str, ...]:
        return retrain(job, console, categories).lost

    def ends(seconds: float) -> bool:
        return wait(seconds) or not held()

    watch(
        root, layout_of(job.config.data), settings.watch, settings.settle, train, say, ends,
        only=job.config.data.categories,
    )  # fmt: skip
    _check_held(held)
    console.print("stopped between trainings")
    return ALL_DONE


if __name__ == "__main__":
    heed_signals()
    sys.exit(main())
