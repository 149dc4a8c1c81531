"""What ``--dry_run`` prints, in 100 columns. Pure."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from memseg.words import counted
from orchestrator.job.job import Job
from orchestrator.planning.estimate import Estimate
from orchestrator.planning.grid import describe_point
from orchestrator.planning.inventory import CategoryInventory
from orchestrator.planning.plan import NOTHING_CHOSEN, Plan
from orchestrator.planning.reported_step import reported_steps
from orchestrator.planning.trial import Trial

WIDTH = 100


def render_dry_run(
    job: Job, plan: Plan, estimate: Estimate, done: Collection[str] = ()
) -> RenderableType:
    """The plan and its costs. ``done``: keys of trials that the ledger has results of."""
    parts: list[RenderableType] = [
        facts(head_rows(job, plan)),
        Text(),
        _categories(plan, done),
        *listed("Cannot be trained", problem_lines(plan), "red"),
        *listed("Dropped from the grid", dropped_lines(plan), "yellow"),
        *listed("Notes", plan.notes, "yellow"),
        *listed("Mind", warnings_of(job, plan), "yellow"),
        Text(),
        facts(cost_rows(plan, estimate)),
        Text(),
        Text("A dry run: nothing was started.", style="bold"),
    ]
    return Group(*parts)


def as_text(renderable: RenderableType, width: int = WIDTH) -> str:
    """Plain text without colours, for logs and tests."""
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    console.print(renderable)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def head_rows(job: Job, plan: Plan) -> Iterable[tuple[str, str]]:
    config = job.config
    yield "sweep", f"{plan.name} ({job.file})" if job.file else plan.name
    yield "workspace", config.workspace
    yield "images", f"{config.data.root} (layout {config.data.layout})"
    yield "textures", config.textures or "drawn by the code, no folder given"
    yield "encoder weights", f"{config.encoder_weights} ({_short(plan.encoder_weights)})"
    yield "preset", plan.preset
    yield from _common(plan.trials)
    for axis in plan.axes:
        shown = [v[0] if len(v) == 1 else f"({', '.join(map(str, v))})" for v in axis.values]
        yield "grid", f"{axis.name}: {', '.join(map(str, shown))}"
    yield "seeds", ", ".join(map(str, plan.seeds))
    yield (
        "selection",
        {
            "synthetic": "synthetic validation on held-out normal images",
            "test": "the test set: an ORACLE, marked so in every table",
            NOTHING_CHOSEN: "nothing is chosen among trials",
        }[plan.selection],
    )
    if plan.trials:
        yield (
            "reported step",
            "; ".join(map(str, reported_steps(trial.method.by_name for trial in plan.trials))),
        )


def _common(trials: Iterable[Trial]) -> Iterable[tuple[str, str]]:
    trials = list(trials)
    if not trials:
        return
    training = [trial.method.training for trial in trials]
    yield (
        "training",
        (
            f"{_range(t.max_steps for t in training)} steps of batch "
            f"{_range(t.batch_size for t in training)} at "
            f"{_range(t.method.image.size for t in trials)} pixels, "
            f"{', '.join(dict.fromkeys(t.precision for t in training))}"
        ),
    )


def _categories(plan: Plan, done: Collection[str]) -> Table:
    caption = "normal: training images; memory: samples N; test: normal + anomalous images"
    table = Table(width=WIDTH, header_style="bold", caption=caption, caption_justify="left")
    table.add_column("category", overflow="fold", max_width=24)
    for name in ("trials", "done", "normal", "memory", "test"):
        table.add_column(name, justify="right", no_wrap=name != "memory")
    table.add_column("notes", ratio=1, overflow="fold")
    for category in plan.categories:
        trials = plan.trials_of(category.category)
        table.add_row(
            Text(category.category),
            str(len(trials)),
            str(sum(trial.key in done for trial in trials)),
            str(category.normal),
            ", ".join(map(str, sorted({t.method.memory.samples for t in trials}))) or "-",
            f"{category.test_normal}+{category.test_anomalous}",
            Text("; ".join(_remarks(plan, category))),
        )
    keys = {trial.key for trial in plan.trials}
    table.add_section()
    table.add_row("all", str(len(keys)), str(len(keys & set(done))), "", "", "",
                  f"{len(plan.refused)} cannot be run" if plan.refused else "")  # fmt: skip
    return table


def _remarks(plan: Plan, category: CategoryInventory) -> Iterable[str]:
    if category.category in plan.problems:
        yield "cannot be trained, see below"
        return
    if not category.test_normal and not category.test_anomalous:
        yield "no test images: no metrics"
    elif not category.test_normal or not category.test_anomalous:
        kind = "normal" if category.test_normal else "anomalous"
        yield f"only {kind} test images: image AUROC is not defined"
    elif not category.has_masks:
        yield "no masks: pixel AUROC and AUPRO are not defined"
    dropped = sum(d.category == category.category for d in plan.dropped)
    if dropped:
        yield "grid values dropped, see below"
    limits = {t.method.memory.most_share for t in plan.trials_of(category.category)} - {1.0}
    if limits:
        shares = ", ".join(f"{share:.0%}" for share in sorted(limits))
        yield f"memory at most {shares} of the normal images"
    modes = sorted({t.method.foreground.mode for t in plan.trials_of(category.category)})
    if modes != ["off"]:
        yield f"foreground {', '.join(modes)}"


def problem_lines(plan: Plan) -> list[str]:
    return [
        message if category in message else f"{category}: {message}"
        for category, message in plan.problems.items()
    ]


def dropped_lines(plan: Plan) -> list[str]:
    return [f"{d.category}, {describe_point(d.values)}: {d.reason}" for d in plan.dropped]


def warnings_of(job: Job, plan: Plan) -> Iterable[str]:
    """What makes figures mean less than they seem to."""
    if plan.encoder_weights == "random":
        yield "encoder weights are RANDOM: for tests and the demo only; every table says so"
    if job.config.textures is None:
        yield "textures are drawn by the code in place of DTD, the paper's: --textures DIR"
    if job.on_a_cluster and job.config.executor == "ray":
        auto = job.method.get("training.precision", "auto") == "auto"
        yield (
            "resources are this machine's: a dry run does not ask the cluster for its own"
            + (", nor for the precision that auto means there: it may count other trials as done"
               if auto else "")
        )  # fmt: skip


def cost_rows(plan: Plan, estimate: Estimate) -> Iterable[tuple[str, str]]:
    a = estimate.allotment
    gpus = f", {a.gpus:g} GPU" if a.gpus else ""
    yield "a trial takes", f"{a.cpus} CPU{gpus}, {counted(a.threads, 'thread')} on {a.device}"
    yield "trials at once", f"{a.at_once} (limited by {a.limited_by}), executor {a.executor}"
    if a.executor == "ray":
        yield "memory, head", f"{estimate.head_gib:.1f} GiB for controllers, estimated"
    yield (
        "memory, trials",
        f"{estimate.trial_gib:.1f} GiB each, {estimate.trial_gib * a.at_once:.1f} GiB at once, and "
        f"{estimate.shared_gib:.1f} GiB of images that they share, estimated",
    )
    yield (
        "disk",
        (f"{estimate.disk_gib:.1f} GiB at the end, keep_weights {plan.keep_weights}, estimated"),
    )
    if not estimate.left:
        refused = plan.problems and not plan.trials
        yield "time", "no trial can be run" if refused else "nothing is left to do"
        return
    low, high = estimate.step_seconds
    step = f"{low:.2g} s" if high < low * 1.05 else f"{low:.2g} to {high:.2g} s"
    basis = (
        f"measured in {estimate.measured} finished trials"
        if estimate.measured
        else "estimated from assumed speeds"
    )
    trials = counted(estimate.left, "trial")
    yield "time", f"about {duration(estimate.seconds)} for {trials}, {step} a step, {basis}"


def duration(seconds: float) -> str:
    """For people: "45 s", "20 min", "3 h 20 min", "4 days 6 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days {hours % 24} h"


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value))
    return table


def listed(title: str, lines: Iterable[str], style: str) -> list[RenderableType]:
    lines = list(lines)
    if not lines:
        return []
    rows = Table.grid(padding=(0, 1))
    for line in lines:
        rows.add_row("  -", Text(line, overflow="fold"))
    return [Text(), Text(title, style=f"bold {style}"), rows]


def _range(values: Iterable[int]) -> str:
    distinct = sorted(set(values))
    return str(distinct[0]) if len(distinct) == 1 else f"{distinct[0]} to {distinct[-1]}"


def _short(identity: str) -> str:
    return identity[:19] if identity.startswith("sha256:") else identity
