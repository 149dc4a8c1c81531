"""A table's figures as text, in per cent. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.aggregation.published import PaperResult, sources
from orchestrator.aggregation.rows import NONE, mean_text, percent, signed
from orchestrator.reproduce.lines import Line, PaperTable
from orchestrator.reproduce.scores import AUROCS, Score


def shows_paper(table: PaperTable) -> bool:
    """Whether anything was published that stands beside ours."""
    return any(line.paper is not None for line in table.lines)


def shows_differences(table: PaperTable) -> bool:
    """Whether ours less the paper's means something."""
    return any(line.difference(metric) is not None for line in table.lines for metric in AUROCS)


def shows_public(table: PaperTable) -> bool:
    """Whether the public code's figures are known."""
    return any(line.public is not None for line in table.lines)


def figure_cells(table: PaperTable, line: Line) -> Iterator[str]:
    """Ours, the paper's and the difference of both AUROCs, then the public code's two.

    Those alone that the table shows.
    """
    for metric in AUROCS:
        yield measured(line.score, metric)
        if shows_paper(table):
            yield published(line.paper, metric)
        if shows_differences(table):
            yield signed(line.difference(metric))
    if shows_public(table):
        yield from (published(line.public, metric) for metric in AUROCS)


def shown_sources(table: PaperTable) -> dict[str, str]:
    """Where the published figures that the table shows were printed."""
    found = sources()
    kept = {"paper": shows_paper(table), "public_code": shows_public(table)}
    return {name: found[name] for name, shown in kept.items() if shown}


def measured(score: Score | None, metric: str) -> str:
    """Mean over the seeds, with their deviation where there are several."""
    if score is None:
        return NONE
    return mean_text(score.mean(metric), score.deviation(metric))


def published(result: PaperResult | None, metric: str) -> str:
    """A published figure."""
    return NONE if result is None else percent(getattr(result, metric))


def flat(heading: str) -> str:
    """A heading in one line: "spatial attention", "multi-scale"."""
    return heading.replace("-\n", "-").replace("\n", " ")
