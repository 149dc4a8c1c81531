"""Tables whose rows are variants of the method, each averaged over categories. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from orchestrator.aggregation.conditions import Condition
from orchestrator.aggregation.published import Results, averages
from orchestrator.aggregation.rows import signed
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.experiment import Part
from orchestrator.reproduce.lines import AVERAGE, Line, PaperTable, made_table
from orchestrator.reproduce.notes import loudest_first, notes_of
from orchestrator.reproduce.scores import AUROCS, average, row_scores, shared_categories

_FOREGROUND = "foreground.mode"


def ablation_table(part: Part, records: Mapping[str, Record]) -> PaperTable:
    """A line a row, averaged over the paper's categories that all rows have.

    Where none of them is the paper's, over ours, and without the paper's averages. Averages over
    some of the paper's categories stand beside its own without a difference.
    """
    rows = part.experiment.rows
    scores = {row.name: row_scores(part, row.name, records) for row in rows}
    shared = shared_categories(scores.values())
    of_the_paper = tuple(c for c in shared if c in part.experiment.categories)
    over = of_the_paper or shared
    published: Results = {}
    if part.experiment.name.startswith("table") and (of_the_paper or not shared):
        published = averages(part.experiment.name)
    comparable = set(part.experiment.categories) <= set(over)
    lines = tuple(
        Line(
            row.labels,
            AVERAGE,
            average(scores[row.name], over) if scores[row.name] else None,
            published.get(row.name),
            sums_up=True,
            comparable=comparable,
        )
        for row in rows
    )
    detail = tuple(
        Line(row.labels, category, scores[row.name].get(category))
        for category in part.categories
        for row in rows
    )
    notes = [*notes_of(part, records, over)]
    if published and over and not comparable:
        notes.append(
            Condition("no difference is told: the paper's averages are over more categories")
        )
    notes += _without_effect(part, records)
    notes += effects([row.name for row in rows], lines) if published else ()
    return made_table(part, lines, detail, loudest_first(notes), {})


def _without_effect(part: Part, records: Mapping[str, Record]) -> Iterator[Condition]:
    """Rows that switch the foreground off where the whole method finds none."""
    whole = part.experiment.rows[-1].name
    for row in part.experiment.rows:
        if row.settings.get(_FOREGROUND) != "off":
            continue
        off, same = [], []
        for category, trials in part.trials[whole].items():
            if part.trials[row.name].get(category) == trials:
                off.append(category)
            elif _foregrounds(trials, records) == {"off"} and category in part.trials[row.name]:
                same.append(category)
        if off:
            yield Condition(
                f"{row.name}: the whole method itself in {', '.join(off)}, whose foreground is set "
                "off: one trial for both rows"
            )
        if same:
            yield Condition(
                f"{row.name}: no foreground is found in {', '.join(same)}, where this row is the "
                "whole method once more, and what differs is chance",
                True,
            )


def _foregrounds(trials: Sequence[Trial], records: Mapping[str, Record]) -> set[str]:
    """What "auto" came to, as far as it is known."""
    done = [r.result for t in trials if isinstance(r := records.get(t.key), Done)]
    return {result["foreground"] for result in done if "foreground" in result}


def effects(names: Sequence[str], lines: Sequence[Line]) -> Iterator[Condition]:
    """What each row but the last, the whole method, loses: ours and, in brackets, the paper's.

    Within a table that compares, also where the averages themselves do not.
    """
    *others, whole = lines
    said = []
    for name, line in zip(names, others):
        ours = _less(line, whole, Line.ours)
        if ours is not None:
            said.append(f"{name} {ours} ({_less(line, whole, Line.papers)})")
    if said:
        yield Condition(
            "less the whole method, image / pixel AUROC in points, ours (the paper's): "
            + "; ".join(said)
        )


def _less(line: Line, whole: Line, figure: Callable[[Line, str], float | None]) -> str | None:
    """Differences of both metrics; None where neither is known."""
    pairs = [(figure(line, metric), figure(whole, metric)) for metric in AUROCS]
    found = [None if a is None or b is None else a - b for a, b in pairs]
    return None if found == [None, None] else " / ".join(map(signed, found))
