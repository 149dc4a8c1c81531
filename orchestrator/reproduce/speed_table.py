"""Speeds as a table, as Markdown, CSV and JSON, beside the paper's. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memseg.timing.report import PAPER_HARDWARE, PAPER_IMAGES_PER_SECOND, BatchTimes, SpeedReport
from memseg.words import counted
from orchestrator.aggregation.conditions import Condition
from orchestrator.aggregation.formats import to_csv
from orchestrator.aggregation.markdown_table import bullet, cell
from orchestrator.aggregation.markdown_table import table as markdown_table
from orchestrator.aggregation.published import MEMSEG, sources, speeds
from orchestrator.aggregation.rows import NONE
from orchestrator.aggregation.terminal import condition_texts, sentences
from orchestrator.planning.render import dropped_lines, problem_lines
from orchestrator.reproduce.experiment import Output, Part
from orchestrator.reproduce.notes import loudest_first

_COLUMNS: Mapping[str, type] = {
    "network": str, "memory_samples": int, "batch": int, "images_per_second": float,
    "p50_seconds": float, "p95_seconds": float, "runs": int, "source": str,
}  # fmt: skip
_HEADINGS = (
    "network", "memory samples", "batch", "images/s", "s an image", "p50 of a batch, s",
    "p95 of a batch, s",
)  # fmt: skip


@dataclass(frozen=True)
class Timed:
    """One network, and the categories whose networks compute the same."""

    report: SpeedReport
    categories: tuple[str, ...]


def speed_output(part: Part, timed: Sequence[Timed], said: Sequence[Condition]) -> Output:
    """The tables; ``said``: what could not be timed, and why."""
    name, title = part.experiment.name, part.experiment.title
    conditions = loudest_first([*said, *_conditions(part, timed)])
    content = {
        "name": name,
        "title": title,
        "networks": [{"categories": list(t.categories), **t.report.to_json()} for t in timed],
        "published_seconds": dict(speeds()),
        "headings": list(_HEADINGS),
        "cells": [list(cells) for cells in _cells(timed, short=False)],
        "conditions": [{"text": c.text, "loud": c.loud} for c in conditions],
        "sources": {"paper": sources()["paper"]},
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    files = {
        f"{name}.md": _markdown(title, timed, conditions).encode(),
        f"{name}.csv": to_csv(list(_rows(timed)), _COLUMNS),
        f"{name}.json": text.encode(),
    }
    return Output(files, _shown(title, timed, conditions), complete=not any(c.loud for c in said))


def _rows(timed: Sequence[Timed]) -> Iterator[dict[str, Any]]:
    for one in timed:
        for batch in one.report.batches:
            yield {
                "network": ", ".join(one.categories),
                "memory_samples": one.report.memory_samples,
                "batch": batch.batch,
                "images_per_second": batch.images_per_second,
                "p50_seconds": batch.percentile(50),
                "p95_seconds": batch.percentile(95),
                "runs": len(batch.seconds),
                "source": "measured",
            }
    for method, seconds in speeds().items():
        empty = dict.fromkeys(_COLUMNS)
        yield {
            **empty,
            "network": method,
            "images_per_second": _in_the_paper(method, seconds),
            "source": "paper",
        }


def _cells(timed: Sequence[Timed], short: bool) -> Iterator[tuple[str, ...]]:
    """Each batch, or (short) batch 1 and the fastest; then the paper's."""
    for one in timed:
        report = one.report
        chosen = [report.single, report.best] if short else list(report.batches)
        for batch in dict.fromkeys(b for b in chosen if b is not None):
            yield _network(one), _count(report.memory_samples), str(batch.batch), *_times(batch)
    for method, seconds in speeds().items():
        whose = "MemSeg" if method == MEMSEG else method
        name = f"{whose} in the paper, {PAPER_HARDWARE}"
        yield (
            name,
            NONE,
            NONE,
            f"{_in_the_paper(method, seconds):.2f}",
            f"{seconds:.4f}",
            NONE,
            NONE,
        )


def _in_the_paper(method: str, seconds: float) -> float:
    """Images a second: as printed where it is, else computed."""
    return PAPER_IMAGES_PER_SECOND if method == MEMSEG else 1 / seconds


def _network(one: Timed) -> str:
    return ", ".join(one.categories)


def _count(samples: int | None) -> str:
    return "none" if samples is None else str(samples)


def _times(batch: BatchTimes) -> tuple[str, str, str, str]:
    speed, middle, slow = batch.images_per_second, batch.percentile(50), batch.percentile(95)
    if speed is None or middle is None or slow is None:
        return "no memory", NONE, NONE, NONE
    return f"{speed:.2f}", f"{1 / speed:.4f}", f"{middle:.4f}", f"{slow:.4f}"


def _conditions(part: Part, timed: Sequence[Timed]) -> Iterator[Condition]:
    for line in problem_lines(part.plan):
        yield Condition(f"cannot be trained: {line}", True)
    for line in dropped_lines(part.plan):
        yield Condition(f"cannot be had: {line}")
    for one in timed:
        yield from _of_network(one)
    if timed:
        yield Condition(
            "timed from uint8 images in memory to anomaly maps in memory, one batch after the "
            "other; reading, decoding and resizing files are not in it; on a machine that does "
            "something else too it is slower"
        )
        yield Condition(
            "networks that compute the same are timed once; steps, encoder weights and what they "
            "were trained on change no speed"
        )
    yield Condition(
        "the paper's is another machine; it does not say batch, precision, nor what is in its time"
    )


def _of_network(one: Timed) -> Iterator[Condition]:
    report = one.report
    threads = counted(report.threads, "thread")
    device = report.cpu if report.device == "cpu" else f"{report.device}, {report.cpu}"
    packages = ", ".join(f"{name} {version}" for name, version in report.packages.items())
    total = sum(report.flops.values())
    parameters = ""
    if report.trained_parameters is not None and report.frozen_parameters is not None:
        parameters = (
            f"; {report.trained_parameters:,} parameters trained, "
            f"{report.frozen_parameters:,} frozen"
        )
    operations = f"; {total / 1e9:.2f} GFLOP an image" if total else ""
    yield Condition(
        f"{_network(one)}: {device}, {threads}, {report.precision}, {report.size} x "
        f"{report.size} pixels, {packages}{operations}{parameters}"
    )
    if total:
        parts = ", ".join(
            f"{name} {flops / 1e9:.2f} ({flops / total:.0%})"
            for name, flops in report.flops.items()
        )
        yield Condition(f"{_network(one)}: GFLOP an image by component: {parts}")


def _markdown(title: str, timed: Sequence[Timed], conditions: Sequence[Condition]) -> str:
    lines = [f"# {cell(title)}", ""]
    rows = [[cell(text) for text in row] for row in _cells(timed, short=False)]
    lines += markdown_table(_HEADINGS, rows, set(_HEADINGS[1:]))
    lines.append("")
    lines += [bullet(condition.text, condition.loud) for condition in conditions]
    lines.append(bullet(f"paper: {sources()['paper']}", False))
    return "\n".join(lines) + "\n"


def _shown(title: str, timed: Sequence[Timed], conditions: Sequence[Condition]) -> RenderableType:
    shown = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1))
    shown.add_column("\nnetwork", overflow="fold", max_width=36)
    for heading in ("memory\nsamples", "\nbatch", "images\na second", "seconds\nan image",
                    "p50 of a\nbatch, s", "p95 of a\nbatch, s"):  # fmt: skip
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in _cells(timed, short=True):
        shown.add_row(*map(Text, row))
    said = sentences(condition_texts(conditions))
    return Group(Text(), Text(title, style="bold"), shown, Text(), said)
