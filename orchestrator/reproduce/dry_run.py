"""What ``--dry_run`` prints: the whole programme and its cost, in 100 columns. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memseg.words import counted
from orchestrator.job.job import Job
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.allotment import Allotment
from orchestrator.planning.estimate import START_S, Estimate, trial_seconds
from orchestrator.planning.plan import Plan
from orchestrator.planning.render import (
    WIDTH,
    cost_rows,
    dropped_lines,
    duration,
    facts,
    head_rows,
    listed,
    problem_lines,
    warnings_of,
)
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.experiment import Part
from orchestrator.reproduce.programme import Programme, count_done


def render_programme(
    job: Job,
    programme: Programme,
    costs: Estimate,
    records: Mapping[str, Record],
    left_out: Sequence[str],
    whole: Programme | None = None,
) -> RenderableType:
    """Each experiment's trials and what they share, the categories, and the cost of all.

    ``left_out``: experiments that the data cannot give, in sentences. ``whole``: the programme as
    it would be with the categories that are missing.
    """
    plan = programme.plan
    categories = _categories(programme)
    if whole is not None and programme.trains:
        categories.append(_whole(whole, costs.allotment, records))
    return Group(
        facts(head_rows(job, plan)),
        Text(),
        _experiments(programme, costs.allotment, records),
        *listed("Categories", categories, "white"),
        *listed("Left out", left_out, "yellow"),
        *listed("Cannot be trained", problem_lines(plan), "red"),
        *listed("Cannot be had", dropped_lines(plan), "yellow"),
        *listed("Mind", warnings_of(job, plan), "yellow"),
        Text(),
        facts(cost_rows(plan, costs) if programme.trains else [("cost", "nothing is trained")]),
        Text(),
        Text("A dry run: nothing was started.", style="bold"),
    )


def _experiments(
    programme: Programme, allotment: Allotment, records: Mapping[str, Record]
) -> Table:
    caption = (
        "shared: trials that an experiment above has too, run once; to run: neither shared nor "
        "done; time: of these alone"
    )
    table = Table(width=WIDTH, header_style="bold", caption=caption, caption_justify="left")
    table.add_column("experiment", no_wrap=True)
    table.add_column("what it is", ratio=1, overflow="fold")
    for name in ("categories", "trials", "shared", "done", "to run", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for part in programme.parts:
        new = programme.new_in(part)
        left = [t for t in new if not isinstance(records.get(t.key), Done)]
        total = _seconds(part.plan, left, allotment, records)
        trials = part.plan.trials
        table.add_row(
            part.experiment.name, part.experiment.title.partition(": ")[2],
            str(len(part.categories)), str(len(trials)), str(len(trials) - len(new)),
            str(count_done(trials, records)), str(len(left)), duration(total) if left else "-",
        )  # fmt: skip
    everything = programme.plan.trials
    done = count_done(everything, records)
    table.add_section()
    shared = sum(len(part.plan.trials) for part in programme.parts) - len(everything)
    table.add_row("all", "each trial once", "", str(len(everything)), str(shared), str(done),
                  str(len(everything) - done), "")  # fmt: skip
    return table


def _seconds(
    plan: Plan, trials: Sequence[Trial], allotment: Allotment, records: Mapping[str, Record]
) -> float:
    results = [r.result for r in records.values() if isinstance(r, Done)]
    seconds = trial_seconds(plan, trials, allotment, results)
    return sum(START_S[allotment.executor] + s for s in seconds) / allotment.at_once


def _whole(whole: Programme, allotment: Allotment, records: Mapping[str, Record]) -> str:
    trials = [t for t in whole.plan.trials if not isinstance(records.get(t.key), Done)]
    cost = duration(_seconds(whole.plan, trials, allotment, records))
    planned = counted(len(whole.plan.trials), "trial")
    return f"with the missing ones as published it would be {planned}, about {cost}"


def _categories(programme: Programme) -> list[str]:
    """Which are there, and which of the paper's are missing, once for each data set."""
    lines = [", ".join(c.category for c in programme.plan.categories)]
    told: dict[str, Part] = {}
    for part in programme.parts:
        told.setdefault(part.experiment.data_set, part)
    for data_set, part in told.items():
        if part.missing:
            lines.append(
                f"{len(part.missing)} of the {len(part.experiment.categories)} categories of "
                f"{data_set} in the paper's tables are missing: {', '.join(part.missing)}"
            )
    without = {p.experiment.name: p.experiment.leaves_out for p in programme.parts}
    lines += [
        f"{name} leaves out {' and '.join(out)}, as the paper does"
        for name, out in without.items()
        if out
    ]
    return lines
