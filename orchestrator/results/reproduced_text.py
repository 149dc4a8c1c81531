"""A table of ``orchestrator.reproduce`` as a part of RESULTS.md. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.aggregation.markdown_table import bullet, cell
from orchestrator.aggregation.markdown_table import table as markdown_table
from orchestrator.aggregation.rows import mean_text, percent, signed
from orchestrator.results.reproduced import Table

_AVERAGE = "average"
_METRICS = ("image_auroc", "pixel_auroc")


def table_lines(table: Table) -> list[str]:
    """Ours, the paper's and, where they compare, the difference; then what was not as there.

    Of a table whose rows are variants the averages alone: each category stands in the sweep.
    """
    lines = [f"### {cell(table['title'])}", ""]
    if "cells" in table:  # speeds have their texts
        header = table["headings"]
        texts = [[cell(text) for text in row] for row in table["cells"]]
        lines += markdown_table(header, texts, set(header[1:]))
    else:
        lines += markdown_table(*_compared(table), set())
    lines.append("")
    lines += [bullet(c["text"], bool(c.get("loud"))) for c in table["conditions"]]
    return [*lines, ""]


def _compared(table: Table) -> tuple[list[str], list[list[str]]]:
    """Headings, and the texts of each row."""
    rows = table["rows"]
    headings = list(rows[0])[: list(rows[0]).index("category")] if rows else []
    if headings:
        rows = [row for row in rows if row["category"] == _AVERAGE]
    compared = any(row.get(f"{m}_difference") is not None for row in rows for m in _METRICS)
    figures = []
    for kind in ("image", "pixel"):
        figures += [f"{kind} AUROC", f"paper {kind}", *(("difference",) if compared else ())]
    header = [*(heading.replace("_", " ") for heading in headings or ("category",)), *figures]
    texts = [
        [
            *(cell(str(row[name])) for name in headings or ("category",)),
            *(text for metric in _METRICS for text in _figures(row, metric, compared)),
        ]
        for row in rows
    ]
    return header, texts


def _figures(row: Mapping[str, Any], metric: str, compared: bool) -> Iterator[str]:
    yield mean_text(row.get(metric), row.get(f"{metric}_deviation"))
    yield percent(row.get(f"paper_{metric}"))
    if compared:
        yield signed(row.get(f"{metric}_difference"))
