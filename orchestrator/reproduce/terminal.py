"""A table as a person wants it on a terminal of 100 columns. Pure."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.aggregation.terminal import condition_texts, sentences
from orchestrator.reproduce.cells import figure_cells, shows_differences, shows_paper, shows_public
from orchestrator.reproduce.lines import PaperTable, with_spread


def render_table(table: PaperTable) -> RenderableType:
    """The table in per cent, and under it what was different from the paper."""
    shown = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1))
    for heading in table.headings or ("category",):
        aligned = heading if "\n" in heading else f"\n{heading}"
        shown.add_column(aligned, overflow="fold", max_width=26)
    for kind in ("image", "pixel"):
        headings = [f"{kind}\nAUROC"]
        headings += [f"paper\n{kind}"] if shows_paper(table) else []
        headings += ["\ndiff."] if shows_differences(table) else []
        for heading in headings:
            shown.add_column(heading, justify="right", no_wrap=True)
    if shows_public(table):
        for kind in ("image", "pixel"):
            shown.add_column(f"public\ncode {kind}", justify="right", no_wrap=True)
    for line in table.lines:
        first = line.labels or (line.category,)
        cells = (*first, *figure_cells(table, line))
        bold = line.sums_up and not table.headings
        style = "bold" if bold else ("" if line.score else "red")
        shown.add_row(*(Text(one) for one in cells), style=style)
    notes = condition_texts(table.conditions)
    if with_spread(table):
        notes.append(Text("± is the sample standard deviation over the seeds"))
    title = Text(f"{table.title}, in per cent", style="bold")
    return Group(Text(), title, shown, Text(), sentences(notes))
