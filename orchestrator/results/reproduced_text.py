"""A table of ``orchestrator.reproduce`` as a part of RESULTS.md. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.aggregation.markdown_table import bullet, cell
from orchestrator.aggregation.markdown_table import table as markdown_table
from orchestrator.aggregation.rows import mean_text, percent, signed
from orchestrator.results.reproduced import Table

_AVERAGE = "average"


def table_lines(table: Table) -> list[str]:
    """Ours, the paper's and the difference, and under it what was not as in the paper.

    Of a table whose rows are variants the averages alone: each category stands in the sweep.
    """
    rows = table["rows"]
    headings = list(rows[0])[: list(rows[0]).index("category")] if rows else []
    if headings:
        rows = [row for row in rows if row["category"] == _AVERAGE]
    figures = ("image AUROC", "paper image", "difference", "pixel AUROC", "paper pixel",
               "difference")  # fmt: skip
    header = [*(heading.replace("_", " ") for heading in headings or ("category",)), *figures]
    lines = [f"### {cell(table['title'])}", ""]
    lines += markdown_table(
        header,
        [
            [
                *(cell(str(row[name])) for name in headings or ("category",)),
                *_figures(row, "image_auroc"),
                *_figures(row, "pixel_auroc"),
            ]
            for row in rows
        ],
        set(),
    )
    lines.append("")
    lines += [bullet(c["text"], bool(c.get("loud"))) for c in table["conditions"]]
    return [*lines, ""]


def _figures(row: Mapping[str, Any], metric: str) -> tuple[str, str, str]:
    return (
        mean_text(row.get(metric), row.get(f"{metric}_deviation")),
        percent(row.get(f"paper_{metric}")),
        signed(row.get(f"{metric}_difference")),
    )
