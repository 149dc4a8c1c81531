"""The tables as Markdown, AUROC in per cent. Pure: equal tables give equal text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from orchestrator.aggregation.conditions import conditions
from orchestrator.aggregation.markdown_table import bullet, cell, table
from orchestrator.aggregation.published import TABLE_1
from orchestrator.aggregation.rows import COLUMNS, METRICS, NONE, Row, percent
from orchestrator.aggregation.seeds import seed_spreads
from orchestrator.aggregation.selection import Choice
from orchestrator.aggregation.tables import Tables
from orchestrator.planning.grid import describe_point

_PAPER = ("paper_image_auroc", "paper_pixel_auroc")
_BASELINE = "baseline_image_auroc"


def render_markdown(tables: Tables) -> str:
    """``auroc.md``: conditions, both winners, and everything that failed or is missing."""
    parts = [
        [f"# {cell(tables.plan.name)}", ""],
        _conditions(tables),
        ["", "## Best of each category", ""],
        _auroc(tables.rows, tables.choices, _mark),
        _notes(tables, tables.rows),
        _configurations(tables),
        _average(tables),
        _seeds(tables),
        _failures(tables),
        _dropped(tables),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def _conditions(tables: Tables) -> Iterator[str]:
    for condition in conditions(tables):
        yield bullet(condition.text, condition.loud)
    yield "- image_auroc, pixel_auroc and aupro in per cent; paper: table 1 of the paper"


def _auroc(
    rows: Sequence[Row], choices: Mapping[str, Choice], mark: Callable[[Row], str]
) -> list[str]:
    """``choices``: whose figures the rows are; the baseline is of a trial's own memory images."""
    paper = any(row.category in TABLE_1 for row in rows)
    baselines = {name: b for name, c in choices.items()
                 if (b := c.winner.result.get(_BASELINE)) is not None}  # fmt: skip
    header = [*COLUMNS, *(_PAPER if paper else ()), *([_BASELINE] if baselines else ())]
    lines = []
    for row in rows:
        published = TABLE_1.get(row.category)
        lines.append([
            f"**{row.category}**" if row.average else cell(row.category),
            *(percent(getattr(row, name)) + mark(row) for name in METRICS),
            cell(row.selection or NONE),
            row.trial or NONE,
            NONE if row.steps is None else str(row.steps),
            cell(row.encoder_weights),
            str(row.trials_done),
            str(row.trials_planned),
            *(([percent(published.image_auroc), percent(published.pixel_auroc)]
               if published else [NONE, NONE]) if paper else ()),
            *([percent(baselines.get(row.category))] if baselines else ()),
        ])  # fmt: skip
    right = {*METRICS, *_PAPER, _BASELINE, "steps", "trials_done", "trials_planned"}
    return list(table(header, lines, right))


def _mark(row: Row) -> str:
    left = row.trials_planned - row.trials_pruned
    return " †" if not row.average and 0 < row.trials_done < left else ""


def _notes(tables: Tables, rows: Sequence[Row]) -> Iterator[str]:
    yield ""
    for row in rows:
        if _mark(row):
            yield (
                f"- † {cell(row.category)}: best of {row.trials_done} of {row.trials_planned} "
                "trials, the others are not done"
            )
        elif not row.average and not row.trials_done:
            yield f"- {cell(row.category)}: none of its {row.trials_planned} trials is done"
    for row in rows:
        if row.missing and row.trials_planned:
            yield f"- {cell(row.category)}: {row.missing}"
    for none in tables.undefined:
        yield f"- {cell(none.category)}: {none.metric} is not defined: {cell(none.reason)}"
    for note in tables.plan.notes:
        yield f"- {cell(note)}"


def _configurations(tables: Tables) -> Iterator[str]:
    if not tables.plan.axes:
        return
    yield from ("", "### Best configuration of each category", "")
    lines = [
        [cell(name), cell(describe_point(choice.winner.trial.grid)),
         str(choice.winner.trial.seed), choice.selection]
        for name, choice in tables.choices.items()
    ]  # fmt: skip
    yield from table(["category", "configuration", "seed", "selection"], lines, {"seed"})


def _average(tables: Tables) -> Iterator[str]:
    if not tables.plan.axes:
        return
    yield from ("", "## Best on average", "")
    if tables.average is None:
        yield "No configuration is finished, with all of its seeds, in all categories."
        return
    total, over = len(tables.plan.categories), len(tables.average.choices)
    left_out = f", **over {over} of {total} categories**" if over < total else ""
    score = tables.average.score
    by = tables.average.selection + (f", mean {percent(score)}" if score is not None else "")
    yield (
        f"One configuration for all categories: {cell(describe_point(tables.average.grid))} "
        f"(chosen by: {by}){left_out}"
    )
    yield ""
    yield from _auroc(tables.average_rows, tables.average.choices, lambda row: "")


def _seeds(tables: Tables) -> Iterator[str]:
    spreads = seed_spreads(tables.choices)
    if not spreads:
        return
    yield from ("", "## Spread over seeds", "", "Of the best configuration of each category.", "")
    lines = [
        [cell(s.category), str(s.seeds), s.metric, percent(s.mean), percent(s.least),
         percent(s.most)]
        for s in spreads
    ]  # fmt: skip
    header = ["category", "seeds", "metric", "mean", "least", "most"]
    yield from table(header, lines, {"seeds", "mean", "least", "most"})


def _failures(tables: Tables) -> Iterator[str]:
    if not tables.failures:
        return
    yield from ("", "## Failures", "")
    lines = [[cell(f.category), f.kind, str(f.trials), cell(f.message)] for f in tables.failures]
    yield from table(["category", "kind", "trials", "message"], lines, {"trials"})


def _dropped(tables: Tables) -> Iterator[str]:
    if not tables.plan.dropped:
        return
    yield from ("", "## Dropped from the grid", "")
    lines = [[cell(d.category), cell(describe_point(d.values)), cell(d.reason)]
             for d in tables.plan.dropped]  # fmt: skip
    yield from table(["category", "values", "reason"], lines, set())
