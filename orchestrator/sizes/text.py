"""The table of sizes and the table of the schedule as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.aggregation.markdown_table import table
from orchestrator.job.settings import ResourcesConfig
from orchestrator.planning.estimate import ASSUMED_GFLOP_PER_S, START_S, STEP_GFLOP
from orchestrator.planning.render import duration
from orchestrator.planning.schedule import Schedule
from orchestrator.planning.sizes import CPUS_A_GPU, DEVICE, EXECUTOR, GIB_A_GPU, Size


def sizes_markdown(sizes: Sequence[Size]) -> str:
    """What the figures rest on, and a line for each job and number of GPUs."""
    return "\n".join([*_basis(sizes), "", *_sizes(sizes)]) + "\n"


def schedule_markdown(schedules: Mapping[str, Iterable[Schedule]]) -> str:
    """A line for each number of slots: the time, and how near it is to the least possible.

    ``schedules``: how trials' times turned out -> schedules.
    """
    header = [
        "times", "slots", "trials", "makespan", "lower bound", "lower bound / makespan",
        "utilisation",
    ]  # fmt: skip
    lines = [
        [
            how,
            str(s.slots),
            str(len(s.runs)),
            duration(s.makespan_s),
            duration(s.lower_bound_s),
            f"{s.ratio:.3f}",
            f"{s.utilisation:.3f}",
        ]
        for how, found in schedules.items()
        for s in found
    ]
    return "\n".join(table(header, lines, set(header[1:]))) + "\n"


def _basis(sizes: Iterable[Size]) -> Iterator[str]:
    sizes = list(sizes)
    measured = max((size.estimate.measured for size in sizes), default=0)
    if measured:
        yield f"**Measured**: the speed of a step is that of {measured} finished trials on a GPU."
    else:
        yield (
            "**Estimated, not measured: no step was ever run on a GPU.** The planner assumes "
            f"{_speeds(sizes)} for a step of {STEP_GFLOP:.0f} GFLOP (batch 8 at 256 pixels)."
        )
    yield (
        f"A trial's start and end take {START_S[EXECUTOR]:.0f} s (assumed); a machine has "
        f"{CPUS_A_GPU} CPUs and {GIB_A_GPU} GiB for each GPU (assumed). Categories and images are "
        "those of MVTec AD. Times are of the simulated schedule, longest trials first. GPU hours "
        "are what trials take; GPUs that wait for the last trials, or have none, come on top."
    )


def _speeds(sizes: Iterable[Size]) -> str:
    precisions = {t.method.training.precision for size in sizes for t in size.plan.trials}
    return " and ".join(
        f"{ASSUMED_GFLOP_PER_S[DEVICE, p]:.0f} GFLOP/s in {p} "
        f"({STEP_GFLOP / ASSUMED_GFLOP_PER_S[DEVICE, p]:.2g} s)"
        for p in sorted(precisions)
    )


def _sizes(sizes: Iterable[Size]) -> Iterator[str]:
    header = [
        "job", "settings", "GPUs", "trials", "at once", "expected time", "GPU hours",
        "head: memory for controllers", "lower bound / time",
    ]  # fmt: skip
    lines = []
    for size in sizes:
        mark = "" if size.estimate.measured else " *estimated*"
        lines.append([
            f"`jobs/{size.plan.name}.yaml`",
            _settings(size.resources),
            str(size.gpus),
            str(len(size.plan.trials)),
            f"{size.estimate.allotment.at_once} (limited by {size.estimate.allotment.limited_by})",
            duration(size.schedule.makespan_s) + mark,
            f"{size.gpu_hours:.1f}" + mark,
            f"{size.estimate.head_gib:.1f} GiB",
            f"{size.schedule.ratio:.3f}",
        ])  # fmt: skip
    yield from table(header, lines, set(header[2:]))


def _settings(resources: ResourcesConfig) -> str:
    parts = [f"`--device {DEVICE}`", f"`--resources.threads {resources.threads}`"]
    if resources.gpus_per_trial not in (0.0, 1.0):
        parts.append(f"`--resources.gpus_per_trial {resources.gpus_per_trial:g}`")
    return " ".join(parts)
