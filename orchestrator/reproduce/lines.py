"""The lines of a table with the paper's figures beside ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memseg.config import OBJECTS, TEXTURES
from orchestrator.aggregation.conditions import Condition
from orchestrator.aggregation.published import (
    ALL,
    LAST_STEP,
    MEMSEG,
    PaperResult,
    Results,
    per_category,
)
from orchestrator.ledger.ledger import Record
from orchestrator.planning.reported_step import ReportedStep, reported_steps
from orchestrator.reproduce.experiment import MVTEC_AD, Part
from orchestrator.reproduce.notes import notes_of
from orchestrator.reproduce.scores import (
    AUROCS,
    Score,
    average,
    published_average,
    row_scores,
)

AVERAGE = "average"


@dataclass(frozen=True)
class Line:
    """One line: ours, the paper's, and the public code's where it is known."""

    labels: tuple[str, ...]
    category: str
    """A category, or what the line averages over."""
    score: Score | None = None
    """None where it is not done."""
    paper: PaperResult | None = None
    public: PaperResult | None = None
    sums_up: bool = False
    """Whether it is an average."""
    comparable: bool = True
    """Whether ours and the paper's figures are of the same categories."""

    def difference(self, metric: str) -> float | None:
        """Ours less the paper's; None where one is not known, or they do not compare."""
        if not self.comparable:
            return None
        ours, papers = self.ours(metric), self.papers(metric)
        return None if ours is None or papers is None else ours - papers

    def ours(self, metric: str) -> float | None:
        """What was measured, mean over the seeds; None where it is not known."""
        return None if self.score is None else self.score.mean(metric)

    def papers(self, metric: str) -> float | None:
        """What the paper prints; None where it prints nothing."""
        found: float | None = None if self.paper is None else getattr(self.paper, metric)
        return found


@dataclass(frozen=True)
class PaperTable:
    """Everything that is written of an experiment."""

    name: str
    title: str
    headings: tuple[str, ...]
    """Over the labels; () where the lines are categories."""
    lines: tuple[Line, ...]
    detail: tuple[Line, ...]
    """Each category by itself, where ``lines`` are averages."""
    conditions: tuple[Condition, ...]
    methods: Mapping[str, Sequence[PaperResult | None]]
    """Compared method -> its figures for each of ``lines``, as published."""
    reported: tuple[ReportedStep, ...] = ()
    """Which steps of their runs the figures are of."""


def per_category_table(part: Part, records: Mapping[str, Record]) -> PaperTable:
    """A line a category, then averages over those that there are, beside the paper's of them."""
    published = per_category(part.experiment.name)
    paper = published.methods[MEMSEG]
    public = LAST_STEP if published.data_set == MVTEC_AD else {}
    scores = row_scores(part, part.experiment.rows[0].name, records)
    lines = [
        Line((), name, scores.get(name), paper.get(name), public.get(name))
        for name in part.categories
    ]
    lines += group_averages(scores, paper, public)
    printed = published.averages[MEMSEG][ALL]
    count = len(published.categories)
    lines.append(Line((), f"the paper, all {count}", None, printed, sums_up=True))
    methods = {
        method: [_of_method(line, found, published.averages[method]) for line in lines]
        for method, found in published.methods.items()
        if method != MEMSEG
    }
    return made_table(part, tuple(lines), (), notes_of(part, records, tuple(scores)), methods)


def group_averages(scores: Mapping[str, Score], paper: Results, public: Results) -> list[Line]:
    """Of the paper's categories, of its two groups, and of all where there are others too."""
    ours = [c for c in scores if c in paper]
    groups = {
        "textures": [c for c in ours if c in TEXTURES],
        "objects": [c for c in ours if c in OBJECTS],
        AVERAGE: ours,
    }
    lines = [
        Line(
            (),
            f"{name} ({len(over)})",
            score,
            published_average(paper, score),
            published_average(public, score) if public else None,
            sums_up=True,
        )
        for name, over in groups.items()
        if (score := average(scores, over)) is not None
    ]
    if len(ours) < len(scores):
        every = average(scores, scores)
        lines.append(Line((), f"{AVERAGE}, all ours ({len(scores)})", every, sums_up=True))
    return lines


def _of_method(line: Line, found: Results, printed: Results) -> PaperResult | None:
    if line.score is not None and line.sums_up:
        return published_average(found, line.score) if line.paper else None
    return printed[ALL] if line.sums_up else found.get(line.category)


def made_table(
    part: Part,
    lines: tuple[Line, ...],
    detail: tuple[Line, ...],
    notes: tuple[Condition, ...],
    methods: Mapping[str, Sequence[PaperResult | None]],
) -> PaperTable:
    """The experiment's table of these lines."""
    experiment = part.experiment
    reported = tuple(reported_steps(trial.method.by_name for trial in part.every_trial))
    return PaperTable(
        experiment.name, experiment.title, experiment.headings, lines, detail, notes, methods,
        reported,
    )  # fmt: skip


def with_spread(table: PaperTable) -> bool:
    """Whether any figure is a mean over several seeds."""
    lines = (*table.lines, *table.detail)
    return any(
        line.score is not None and line.score.deviation(metric) is not None
        for line in lines
        for metric in AUROCS
    )
