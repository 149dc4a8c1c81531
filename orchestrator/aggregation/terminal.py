"""The tables as a person wants them on a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.aggregation.conditions import conditions
from orchestrator.aggregation.paper import TABLE_1
from orchestrator.aggregation.rows import AVERAGES, METRICS, Row, percent
from orchestrator.aggregation.selection import Choice
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
        _auroc(tables, tables.rows, tables.choices),
    ]
    if tables.plan.axes:
        parts += _average(tables)
    parts += [Text(), _list(
        Text(c.text, style="bold yellow" if c.loud else "") for c in conditions(tables)
    )]  # fmt: skip
    problems = list(_problems(tables))
    if problems:
        parts += [Text(), Text("Failed or left out", style="bold red"), _list(problems)]
    if places:
        parts += [Text(), _places(places)]
    return Group(*parts)


def _auroc(tables: Tables, rows: Sequence[Row], choices: Mapping[str, Choice]) -> Table:
    paper = any(row.category in TABLE_1 for row in rows)
    baselines = {name: c.winner.result.get("baseline_image_auroc") for name, c in choices.items()}
    with_baseline = any(value is not None for value in baselines.values())
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1))
    table.add_column("category", overflow="fold", max_width=24)
    headings = ["image AUROC", "pixel AUROC", "AUPRO"]
    headings += ["paper image", "paper pixel"] if paper else []
    headings += ["pixel baseline"] if with_baseline else []
    for heading in (*headings, "trials"):
        table.add_column(heading, justify="right", max_width=9)
    table.add_column("chosen by", overflow="fold", ratio=2)
    if tables.plan.axes:
        table.add_column("configuration", overflow="fold", ratio=3)
    for row in rows:
        average = row.category in AVERAGES
        if average and row.trials_planned == 0:
            continue
        published, choice = TABLE_1.get(row.category), choices.get(row.category)
        cells = [row.category, *(percent(getattr(row, name)) for name in METRICS)]
        if paper:
            cells += (
                [percent(published.image_auroc), percent(published.pixel_auroc)]
                if published
                else ["", ""]
            )
        if with_baseline:
            cells.append("" if average else percent(baselines.get(row.category)))
        cells += [_count(row), row.selection or ""]
        if tables.plan.axes:
            cells.append(describe_point(choice.winner.trial.grid) if choice else "")
        style = "bold" if average else ("red" if choice is None else "")
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def _count(row: Row) -> str:
    if row.trials_done == row.trials_planned:
        return str(row.trials_done)
    return f"{row.trials_done} of {row.trials_planned}"


def _average(tables: Tables) -> list[RenderableType]:
    if tables.average is None:
        return [Text(), Text(
            "Best on average: no configuration is finished, with all of its seeds, in all "
            "categories", style="bold",
        )]  # fmt: skip
    title = f"best on average: {describe_point(tables.average.grid)}"
    total, over = len(tables.plan.categories), len(tables.average.choices)
    if over < total:
        title += f" (over {over} of {total} categories)"
    means = [row for row in tables.average_rows if row.category in AVERAGES and row.trials_planned]
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1))
    table.add_column("")
    for heading in ("image AUROC", "pixel AUROC", "AUPRO"):
        table.add_column(heading, justify="right")
    table.add_column("chosen by", overflow="fold")
    for row in means:
        cells = [row.category, *(percent(getattr(row, name)) for name in METRICS)]
        table.add_row(*(Text(cell) for cell in (*cells, row.selection or "")))
    return [Text(), Text(title, style="bold"), table]


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


def _list(lines: Iterable[Text]) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row("-", line)
    return grid


def _places(places: Mapping[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for what, where in places.items():
        grid.add_row(Text(what), Text(where))
    return grid
