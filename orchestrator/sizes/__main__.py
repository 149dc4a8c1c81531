"""``python -m orchestrator.sizes``: what jobs cost on 1, 8 and 64 GPUs, as Markdown.

The planner's own estimate for MVTec AD as published; needs no images, no GPU and no Ray. Exit
codes: 0 written; 2 the command or its input is wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from memseg.command_line import OK, answered
from memseg.config.precision import resolve_precision
from memseg.errors import StorageError
from memseg.storage import Folder, open_folder
from memseg.words import counted
from orchestrator.job.files import REPOSITORY
from orchestrator.job.job import Job
from orchestrator.job.read import read_job
from orchestrator.ledger.ledger import TRIALS, Done, Ledger
from orchestrator.ledger.listing import list_records
from orchestrator.planning.estimate import START_S
from orchestrator.planning.mvtec_ad import published_inventory
from orchestrator.planning.plan import Plan, make_plan
from orchestrator.planning.recorded import recorded_seconds
from orchestrator.planning.schedule import simulate, start_order
from orchestrator.planning.sizes import DEVICE, EXECUTOR, GPUS, sizes_of
from orchestrator.results.files import read_experiments
from orchestrator.sizes.text import schedule_markdown, sizes_markdown

JOBS = ("jobs/paper.yaml", "jobs/paper-grid.yaml")
_OFF = 0.2
_SETTINGS = ("--device", DEVICE, "--resources.threads", "4")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints both tables and returns the exit code."""

    def work() -> int:
        options = _parser().parse_args(argv)
        measured = _finished(options.workspace) if options.workspace else []
        recorded = _recorded(options.results)
        planned = [_planned(file) for file in JOBS]
        sizes = [s for job, plan in planned for s in sizes_of(plan, job.config.resources, measured)]
        sys.stdout.write("## Sizes\n\n" + sizes_markdown(sizes))
        sys.stdout.write("\n## Schedule\n\n" + _schedules(planned[-1][1], recorded))
        return OK

    return answered(work, "interrupted")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.sizes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--workspace", metavar="DIR", help="its finished trials on a GPU replace the assumed speed"
    )
    parser.add_argument(
        "--results", metavar="DIR", default=str(REPOSITORY / "results"),
        help="experiments whose step times the schedule is simulated with",
    )  # fmt: skip
    return parser


def _planned(file: str) -> tuple[Job, Plan]:
    argv = ["--config", file, "--data.root", "/mvtec_ad", "--textures", "/dtd", *_SETTINGS]
    job = read_job(argv, {}, Path("/"))
    return job, make_plan(job, published_inventory(), resolve_precision("auto", DEVICE, ()))


def _finished(location: str) -> list[Mapping[str, Any]]:
    workspace = open_folder(location)
    if not workspace.exists():
        raise StorageError(f"workspace {workspace.path} does not exist: give --workspace DIR")
    return list(_results(workspace))


def _results(workspace: Folder) -> Iterator[Mapping[str, Any]]:
    ledger = Ledger(workspace)
    for category in workspace.folders(TRIALS):
        for key in list_records(workspace, category):
            record = ledger.record(category, key)
            if isinstance(record, Done):
                yield record.result


def _recorded(location: str) -> list[Mapping[str, Any]]:
    """Trials on a CPU of one precision and number of threads: the one that most have."""
    trials = {
        trial["key"]: trial
        for experiment in read_experiments(open_folder(location))
        for trial in experiment.trials
        if trial["hardware"].get("device") == "cpu" and trial["seconds"].get("step_median")
    }
    counts = Counter(map(_computed, trials.values())).most_common(1)
    return [trial for trial in trials.values() if _computed(trial) == counts[0][0]]


def _computed(trial: Mapping[str, Any]) -> tuple[str, int]:
    return str(trial["precision"]), int(trial["hardware"]["threads"])


def _schedules(plan: Plan, recorded: Sequence[Mapping[str, Any]]) -> str:
    if not recorded:
        return "No trial was recorded yet.\n"
    precision, threads = _computed(recorded[0])
    seconds = recorded_seconds(plan, recorded)
    schedules = {
        how: [simulate(actual, slots, START_S[EXECUTOR]) for slots in GPUS]
        for how, actual in _turned_out(start_order(seconds, seconds))
    }
    return (
        f"`{JOBS[-1]}` with the step and evaluation times of the {counted(len(recorded), 'trial')} "
        f"recorded on a CPU in {precision} with {counted(threads, 'thread')} (results/; the median "
        "of all for a category without one), on slots like that machine, started longest first. "
        f"Below, the same order where trials take up to {_OFF:.0%} longer or shorter than it was "
        "made from.\n\n" + schedule_markdown(schedules)
    )


def _turned_out(expected: Sequence[float]) -> Iterator[tuple[str, list[float]]]:
    yield "as expected", list(expected)
    draw = random.Random(0)
    yield f"± {_OFF:.0%}", [value * draw.uniform(1 - _OFF, 1 + _OFF) for value in expected]


if __name__ == "__main__":
    sys.exit(main())
