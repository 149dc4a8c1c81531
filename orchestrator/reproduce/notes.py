"""What was different from the paper, in sentences for under a table. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from memseg.words import counted
from orchestrator.aggregation.conditions import (
    Condition,
    encoder_conditions,
    metric_conditions,
    preset_conditions,
    step_conditions,
    texture_conditions,
    training_conditions,
)
from orchestrator.aggregation.rows import METRICS
from orchestrator.ledger.ledger import Done, Failed, Record
from orchestrator.planning.render import dropped_lines, problem_lines
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.changed import changed_settings
from orchestrator.reproduce.experiment import Part

_AVERAGED = " that the paper's averages are over"


def notes_of(
    part: Part,
    records: Mapping[str, Record],
    averaged: Sequence[str],
    of_metrics: bool = True,
    pictures: bool = False,
) -> tuple[Condition, ...]:
    """Everything that a reader has to know, the loudest first.

    ``averaged``: the categories that averages are over; ``of_metrics``: whether what is shown are
    the trials' own metrics, and not something that is made of their networks; ``pictures``:
    whether it is one picture a category, and nothing is averaged.
    """
    notes = [*_categories(part, pictures), *_notes(part, records, averaged, of_metrics)]
    return loudest_first(notes)


def loudest_first(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """In their order otherwise."""
    found = tuple(conditions)
    return tuple(n for n in found if n.loud) + tuple(n for n in found if not n.loud)


def picture_notes(
    part: Part, categories: Sequence[str], records: Mapping[str, Record]
) -> tuple[str, ...]:
    """What stands below a picture of these categories: what the networks are, in two paragraphs.

    Pictures show the first seed.
    """
    shown = _first_of(part, categories)
    results = [r.result for t in shown.plan.trials if isinstance(r := records.get(t.key), Done)]
    made = [*encoder_conditions(shown.plan, results), *training_conditions(shown.plan),
            *preset_conditions(shown.plan), *step_conditions(shown.plan),
            *texture_conditions(shown.plan)]  # fmt: skip
    keys = ", ".join(f"{t.category} {t.key[:8]}{_of_row(shown, t)}" for t in shown.plan.trials)
    settings = "; ".join(c.text for c in changed_settings(shown))
    first = "; ".join(_short(c.text) for c in loudest_first(made))
    return (
        f"Networks (trials): {keys}; {first}.",
        f"Settings: {settings}. No trial was chosen.",
    )


def untrained_notes(part: Part, category: str) -> tuple[str, ...]:
    """What stands below a picture of one category that no network is needed for."""
    shown = _first_of(part, (category,))
    texts = [c.text for c in (*texture_conditions(shown.plan), *changed_settings(shown))]
    seeds = ", ".join(map(str, shown.plan.seeds))
    return (f"Preset {shown.plan.preset}, seed {seeds}; {_short('; '.join(texts))}.",)


def _first_of(part: Part, categories: Sequence[str]) -> Part:
    """The part with the first seed's trials of these categories alone."""
    trials = {
        row: {category: found[category][:1] for category in categories if category in found}
        for row, found in part.trials.items()
    }
    once = {t.key: t for found in trials.values() for (t,) in found.values()}
    plan = replace(part.plan, trials=tuple(once.values()), seeds=part.plan.seeds[:1])
    return replace(part, plan=plan, trials=trials)


def _of_row(part: Part, trial: Trial) -> str:
    """Which rows it is, where there are several."""
    if len(part.experiment.rows) < 2:
        return ""
    return f" ({', '.join(_rows_of(part, trial))})"


def _short(text: str) -> str:
    """With the first digits of hashes: enough to tell them apart."""
    return re.sub(r"(sha256:[0-9a-f]{12})[0-9a-f]+", r"\1", text)


def _notes(
    part: Part, records: Mapping[str, Record], averaged: Sequence[str], of_metrics: bool
) -> Iterator[Condition]:
    plan = part.plan
    results = [r.result for t in plan.trials if isinstance(r := records.get(t.key), Done)]
    if of_metrics and len(part.experiment.rows) > 1:
        yield from _averages(part, averaged)
    planned = len(plan.trials) + len(plan.refused)
    if len(results) < planned and part.experiment.trains:
        yield Condition(f"INCOMPLETE: {len(results)} of {planned} trials are done", True)
    yield from (Condition(f"cannot be trained: {line}", True) for line in problem_lines(plan))
    yield from _failures(part, records)
    yield from (Condition(f"cannot be had: {line}") for line in dropped_lines(plan))
    if of_metrics:
        yield from _undefined(part, records)
    if part.experiment.trains:
        yield from encoder_conditions(plan, results)
        yield from training_conditions(plan)
        yield from preset_conditions(plan)
        yield from texture_conditions(plan)
    if of_metrics:
        yield from metric_conditions(plan)
    yield from changed_settings(part)
    if part.experiment.trains:
        yield from step_conditions(plan)
        yield Condition("no trial was chosen")
    yield from map(Condition, part.experiment.remarks)


def _categories(part: Part, pictures: bool) -> Iterator[Condition]:
    experiment = part.experiment
    paper = experiment.categories
    ours = [c for c in paper if c in part.categories]
    if part.missing:
        yield Condition(
            f"{len(ours)} of the {len(paper)} categories of {experiment.data_set}"
            f"{'' if pictures else _AVERAGED}; missing: {', '.join(part.missing)}",
            not pictures,
        )
    others = [c for c in part.categories if c not in paper]
    if others:
        yield Condition(f"not of {experiment.data_set}: {', '.join(others)}", True)
    if experiment.leaves_out:
        yield Condition(f"left out, as in the paper: {' and '.join(experiment.leaves_out)}")


def _averages(part: Part, averaged: Sequence[str]) -> Iterator[Condition]:
    """What the lines of rows are over."""
    number = counted(len(averaged), "category", "categories")
    yield Condition(f"averages over {number}: {', '.join(averaged) or 'none'}")
    if not averaged:
        return
    paper = part.experiment.categories
    apart = [c for c in part.categories if c not in averaged]
    others = [c for c in apart if c not in paper] if set(averaged) & set(paper) else []
    undone = [c for c in apart if c not in others]
    if undone:
        yield Condition(
            f"in no average, because not every row is done there: {', '.join(undone)}", True
        )
    if others:
        yield Condition(
            f"in no average, because the paper's are without them: {', '.join(others)}", True
        )


def _failures(part: Part, records: Mapping[str, Record]) -> Iterator[Condition]:
    for trial in part.plan.trials:
        record = records.get(trial.key)
        if isinstance(record, Failed):
            failure = record.failure
            yield Condition(
                f"{trial.category}, {', '.join(_rows_of(part, trial))}: {failure.get('kind')}: "
                f"{failure.get('message')}",
                True,
            )


def _rows_of(part: Part, trial: Trial) -> list[str]:
    return [
        row.name
        for row in part.experiment.rows
        if trial in part.trials[row.name].get(trial.category, ())
    ]


def _undefined(part: Part, records: Mapping[str, Record]) -> Iterator[Condition]:
    said = set()
    for trial in part.plan.trials:
        record = records.get(trial.key)
        if not isinstance(record, Done):
            continue
        reasons = record.result.get("undefined") or {}
        for metric in METRICS:
            if (
                record.result["metrics"].get(metric) is None
                and (trial.category, metric) not in said
            ):
                said.add((trial.category, metric))
                reason = reasons.get(metric, "no reason was recorded")
                yield Condition(f"{trial.category}: {metric} is not defined: {reason}", True)
