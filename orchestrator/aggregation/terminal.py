"""The tables as a person wants them on a terminal of 100 columns."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.aggregation.conditions import Condition, conditions
from orchestrator.aggregation.published import TABLE_1
from orchestrator.aggregation.rows import MEAN, METRICS, Row, percent
from orchestrator.aggregation.tables import Tables
from orchestrator.planning.grid import describe_point

_WIDTH = 100
_MOST_FAILURES = 20


def print_tables(console: Console, tables: Tables, places: Mapping[str, str] | None = None) -> None:
    """Prints both winners, conditions, failures, and where things lie.

    ``places``: what -> where, printed last ("tables": "/ws/sweeps/paper/auroc.md").
    """
    console.print(render_terminal(tables, places or {}), width=min(_WIDTH, console.width))


def render_terminal(tables: Tables, places: Mapping[str, str]) -> RenderableType:
    """What ``print_tables`` prints. Pure."""
    parts: list[RenderableType] = [
        Text(),
        Text(f"{tables.plan.name}: best of each category, in per cent", style="bold"),
        _auroc(tables),
        *_missing(tables.rows),
    ]
    if tables.plan.axes:
        parts += _average(tables)
    said = condition_texts(conditions(tables))
    parts += [Text(), sentences(said)]
    problems = list(_problems(tables))
    if problems:
        parts += [Text(), Text("Failed or left out", style="bold red"), sentences(problems)]
    if places:
        parts += [Text(), places_table(places)]
    return Group(*parts)


def _auroc(tables: Tables) -> Table:
    paper = any(row.category in TABLE_1 for row in tables.rows)
    baselines = {
        name: choice.winner.result.get("baseline_image_auroc")
        for name, choice in tables.choices.items()
    }
    with_baseline = any(value is not None for value in baselines.values())
    headings = ["image\nAUROC", "pixel\nAUROC", "\nAUPRO"]
    headings += ["paper\nimage", "paper\npixel"] if paper else []
    headings += ["pixel\nbaseline"] if with_baseline else []
    table = _table("\ncategory", [*headings, "\ntrials"])
    table.add_column("\nchosen by", no_wrap=True)
    if tables.plan.axes:
        table.add_column("\nconfiguration", overflow="fold", ratio=1)
    for row in tables.rows:
        average = row.average
        if average and row.trials_planned == 0:
            continue
        choice = tables.choices.get(row.category)
        cells = [row.category, *_metrics(row)]
        cells += _published(row.category) if paper else []
        if with_baseline:
            cells.append(percent(_baseline(row, baselines)))
        cells += [_count(row), choice.selection if choice else ""]
        if tables.plan.axes:
            cells.append(_short_point(choice.winner.trial.grid) if choice else "")
        style = "bold" if average else ("" if choice else "red")
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def _table(first: str, headings: Iterable[str]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1))
    table.add_column(first, overflow="fold", min_width=13, max_width=26)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _metrics(row: Row) -> list[str]:
    return [percent(getattr(row, name)) for name in METRICS]


def _baseline(row: Row, baselines: Mapping[str, float | None]) -> float | None:
    """A category's baseline; for ``mean`` their mean, where every finished category has one."""
    if not (row.average and row.category == MEAN):
        return baselines.get(row.category)
    known = [value for value in baselines.values() if value is not None]
    return statistics.fmean(known) if known and len(known) == len(baselines) else None


def _published(category: str) -> list[str]:
    found = TABLE_1.get(category)
    return [percent(found.image_auroc), percent(found.pixel_auroc)] if found else ["", ""]


def _count(row: Row) -> str:
    if row.trials_done == row.trials_planned:
        return str(row.trials_done)
    return f"{row.trials_done} of {row.trials_planned}"


def _short_point(point: Mapping[str, Any]) -> str:
    """Settings by the last part of their names where that is not ambiguous: "lr 0.02"."""
    last = Counter(name.rpartition(".")[2] for name in point)
    short = {
        (tail if last[tail := name.rpartition(".")[2]] == 1 else name): value
        for name, value in point.items()
    }
    return describe_point(short)


def _missing(rows: Sequence[Row]) -> list[RenderableType]:
    return [
        Text(f"{row.category}: {row.missing}", style="yellow")
        for row in rows
        if row.missing and row.trials_planned
    ]


def _average(tables: Tables) -> list[RenderableType]:
    if tables.average is None:
        said = "Best on average: no configuration is finished, with all of its seeds, in all "
        return [Text(), Text(said + "categories", style="bold")]
    title = f"best on average: {describe_point(tables.average.grid)}"
    total, over = len(tables.plan.categories), len(tables.average.choices)
    if over < total:
        title += f" (over {over} of {total} categories)"
    table = _table("", ["image AUROC", "pixel AUROC", "AUPRO"])
    table.add_column("chosen by")
    for row in tables.average_rows:
        if row.average and row.trials_planned:
            cells = [row.category, *_metrics(row), tables.average.selection]
            table.add_row(*(Text(cell) for cell in cells))
    return [Text(), Text(title, style="bold"), table, *_missing(tables.average_rows)]


def _problems(tables: Tables) -> Iterator[Text]:
    for failure in tables.failures[:_MOST_FAILURES]:
        trials = f"{failure.trials} trials" if failure.trials != 1 else "1 trial"
        yield Text(f"{failure.category}, {trials}, {failure.kind}: {failure.message}", "red")
    more = len(tables.failures) - _MOST_FAILURES
    if more > 0:
        yield Text(f"{more} more in auroc.md", "red")
    for dropped in tables.plan.dropped:
        values = describe_point(dropped.values)
        yield Text(f"{dropped.category}, dropped {values}: {dropped.reason}", "yellow")
    for none in tables.undefined:
        yield Text(f"{none.category}: {none.metric} is not defined: {none.reason}", "yellow")


def condition_texts(found: Iterable[Condition]) -> list[Text]:
    """One a condition; what is loud stands out."""
    return [Text(c.text, "bold yellow" if c.loud else "") for c in found]


def sentences(lines: Iterable[Text]) -> Table:
    """Lines with a dash before each, folded where they are long."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row("-", line)
    return grid


def places_table(places: Mapping[str, str]) -> Table:
    """What lies where."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for what, where in places.items():
        grid.add_row(Text(what), Text(where))
    return grid
