"""A table as Markdown, CSV and JSON: equal tables give equal bytes. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.aggregation.formats import to_csv
from orchestrator.aggregation.markdown_table import bullet, cell
from orchestrator.aggregation.markdown_table import table as markdown_table
from orchestrator.aggregation.rows import METRICS
from orchestrator.reproduce.cells import (
    figure_cells,
    flat,
    measured,
    published,
    shown_sources,
    shows_differences,
    shows_paper,
    shows_public,
)
from orchestrator.reproduce.lines import Line, PaperTable, with_spread
from orchestrator.reproduce.scores import AUROCS


def table_files(table: PaperTable) -> dict[str, bytes]:
    """``NAME.md`` in per cent, ``NAME.csv`` and ``NAME.json`` in fractions."""
    columns = _columns(table)
    rows = [_values(table, line) for line in (*table.lines, *table.detail)]
    content = {
        "name": table.name,
        "title": table.title,
        "rows": rows,
        "compared_methods": _methods(table),
        "reported_steps": [vars(step) for step in table.reported],
        "conditions": [{"text": c.text, "loud": c.loud} for c in table.conditions],
        "sources": shown_sources(table),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return {
        f"{table.name}.md": render_markdown(table).encode(),
        f"{table.name}.csv": to_csv(rows, columns),
        f"{table.name}.json": text.encode(),
    }


def _columns(table: PaperTable) -> dict[str, type]:
    return {
        **dict.fromkeys(map(_column, table.headings), str),
        "category": str,
        **dict.fromkeys(METRICS, float),
        **{f"{metric}_deviation": float for metric in METRICS},
        "seeds": int,
        "categories": int,
        "pixel_categories": int,
        **{f"paper_{metric}": float for metric in AUROCS},
        **{f"{metric}_difference": float for metric in AUROCS},
        **{f"public_code_{metric}": float for metric in AUROCS},
    }


def _column(heading: str) -> str:
    return flat(heading).replace(" ", "_").replace("-", "_").lower()


def _values(table: PaperTable, line: Line) -> dict[str, Any]:
    score = line.score
    return {
        **dict(zip(map(_column, table.headings), map(_label, line.labels))),
        "category": line.category,
        **{m: score.mean(m) if score else None for m in METRICS},
        **{f"{m}_deviation": score.deviation(m) if score else None for m in METRICS},
        "seeds": max(map(len, score.values.values())) if score else None,
        "categories": len(score.over["image_auroc"]) if score else None,
        "pixel_categories": len(score.over["pixel_auroc"]) if score else None,
        **{f"paper_{m}": getattr(line.paper, m) if line.paper else None for m in AUROCS},
        **{f"{m}_difference": line.difference(m) for m in AUROCS},
        **{f"public_code_{m}": getattr(line.public, m) if line.public else None for m in AUROCS},
    }


def _label(label: str) -> str:
    return {"✓": "yes", "": "no"}.get(label, label)


def _methods(table: PaperTable) -> dict[str, list[dict[str, Any]]]:
    return {
        method: [
            {"category": line.category, **{m: getattr(found, m) for m in AUROCS}}
            for line, found in zip(table.lines, figures)
            if found is not None
        ]
        for method, figures in table.methods.items()
    }


def render_markdown(table: PaperTable) -> str:
    """The table, what was different, each category, and the methods that the paper compares."""
    parts = [
        [f"# {cell(table.title)}", ""],
        _lines(table, table.lines),
        [""],
        _conditions(table),
        _compared(table),
        _detail(table),
        ["", *(f"- {n.replace('_', ' ')}: {cell(t)}" for n, t in shown_sources(table).items())],
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def _lines(table: PaperTable, lines: Sequence[Line]) -> Iterator[str]:
    figures = []
    for kind in ("image", "pixel"):
        figures += [f"{kind} AUROC", *((f"paper {kind}",) if shows_paper(table) else ())]
        figures += [f"{kind} difference"] if shows_differences(table) else []
    figures += ["public code image", "public code pixel"] if shows_public(table) else []
    aupro = ("aupro",) if _has_aupro(table) else ()
    figures += ["AUPRO" for _ in aupro]
    yield from markdown_table(
        [*map(flat, table.headings or ("category",)), *figures],
        [
            [
                *_first(line),
                *figure_cells(table, line),
                *(measured(line.score, metric) for metric in aupro),
            ]
            for line in lines
        ],
        set(figures),
    )


def _has_aupro(table: PaperTable) -> bool:
    """Whether it was measured; where nothing is done yet, the column stands empty."""
    scores = [line.score for line in table.lines if line.score is not None]
    return not scores or any(score.values["aupro"] for score in scores)


def _first(line: Line) -> list[str]:
    if line.labels:
        return [cell(label) for label in line.labels]
    return [f"**{cell(line.category)}**" if line.sums_up else cell(line.category)]


def _conditions(table: PaperTable) -> Iterator[str]:
    for condition in table.conditions:
        yield bullet(condition.text, condition.loud)
    metrics = "AUROC and AUPRO" if _has_aupro(table) else "AUROC"
    difference = "; a difference is ours less the paper's, in points"
    yield f"- {metrics} in per cent{difference if shows_differences(table) else ''}"
    if with_spread(table):
        yield "- ± is the sample standard deviation over the seeds"


def _compared(table: PaperTable) -> Iterator[str]:
    if not table.methods:
        return
    yield from ("", "## Methods that the paper compares with, image / pixel AUROC", "")
    header = ["category", *table.methods]
    lines = [
        [*_first(line), *(_pair(figures[i]) for figures in table.methods.values())]
        for i, line in enumerate(table.lines)
    ]
    yield from markdown_table(header, lines, set(table.methods))


def _pair(found: Any) -> str:
    return " / ".join(published(found, metric) for metric in AUROCS)


def _detail(table: PaperTable) -> Iterator[str]:
    if not table.detail:
        return
    yield from ("", "## Each category", "")
    header: Mapping[str, bool] = {
        "category": False, **dict.fromkeys(map(flat, table.headings), False),
        "image AUROC": True, "pixel AUROC": True, "AUPRO": True,
    }  # fmt: skip
    lines = [
        [cell(line.category), *map(cell, line.labels),
         *(measured(line.score, metric) for metric in METRICS)]
        for line in table.detail
    ]  # fmt: skip
    yield from markdown_table(list(header), lines, {n for n, right in header.items() if right})
