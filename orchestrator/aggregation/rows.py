"""Rows of the AUROC table: one a category, then the averages. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memseg.config import OBJECTS, TEXTURES
from orchestrator.aggregation.selection import Choice
from orchestrator.ledger.ledger import Done, Pruned, Record
from orchestrator.planning.plan import Plan

METRICS = ("image_auroc", "pixel_auroc", "aupro")
COLUMNS = (
    "category", *METRICS, "selection", "trial", "steps", "encoder_weights", "trials_done",
    "trials_planned",
)  # fmt: skip
"""Of the data files, in this order."""

NONE = "–"  # noqa: RUF001
"""Stands for a value that is not there."""

MEAN, MEAN_TEXTURES, MEAN_OBJECTS = "mean", "mean_textures", "mean_objects"
AVERAGES: Mapping[str, str] = {
    MEAN: "category",
    MEAN_TEXTURES: "texture of MVTec AD",
    MEAN_OBJECTS: "object of MVTec AD",
}
"""Rows that close each table, and what they average over. A product line that is not of
MVTec AD counts in ``mean`` only: whether it is a texture is not known."""


@dataclass(frozen=True)
class Row:
    """One line of the AUROC table. Metrics are fractions in [0, 1], None where there is none."""

    category: str
    """A category's name, or mean, mean_textures, mean_objects."""
    image_auroc: float | None
    pixel_auroc: float | None
    aupro: float | None
    """To the false positive rate of evaluation.aupro_limit (0.3)."""
    selection: str | None
    """How the trial was chosen; in an average also over how many categories it is, if not all."""
    trial: str | None
    """Key of the chosen trial; None in averages and where no trial is done."""
    steps: int | None
    """Optimisation steps; None where they differ or are not known."""
    encoder_weights: str
    trials_done: int
    trials_planned: int
    trials_pruned: int = 0
    """Stopped early by successive halving: in no average, and not missing."""
    missing: str = ""
    """What an average leaves out ("mean over 14 of 15 categories"); in ``selection`` too."""
    average: bool = False
    """Whether it is over categories; one of them may itself be called mean."""

    def values(self) -> dict[str, Any]:
        """Column -> value, in the order of ``COLUMNS``."""
        return {name: getattr(self, name) for name in COLUMNS}


def make_rows(
    plan: Plan, records: Mapping[str, Record], choices: Mapping[str, Choice]
) -> tuple[Row, ...]:
    """A row for each category in the plan's order, then the three averages."""
    rows = tuple(
        _category_row(plan, records, c.category, choices.get(c.category)) for c in plan.categories
    )
    members = {
        MEAN: rows,
        MEAN_TEXTURES: tuple(r for r in rows if r.category in TEXTURES),
        MEAN_OBJECTS: tuple(r for r in rows if r.category in OBJECTS),
    }
    return rows + tuple(_average_row(plan, name, over) for name, over in members.items())


def _category_row(
    plan: Plan, records: Mapping[str, Record], category: str, choice: Choice | None
) -> Row:
    trials = plan.trials_of(category)
    done = sum(isinstance(records.get(t.key), Done) for t in trials)
    steps = {t.method.training.max_steps for t in trials}
    if choice is not None:
        steps = {choice.winner.trial.method.training.max_steps}
    metrics = dict.fromkeys(METRICS) if choice is None else _metrics(choice)
    return Row(
        category=category,
        **metrics,
        selection=choice.selection if choice else None,
        trial=choice.winner.trial.key if choice else None,
        steps=steps.pop() if len(steps) == 1 else None,
        encoder_weights=plan.encoder_weights,
        trials_done=done,
        trials_planned=plan.planned(category),
        trials_pruned=sum(isinstance(records.get(t.key), Pruned) for t in trials),
    )


def _metrics(choice: Choice) -> dict[str, float | None]:
    return {name: choice.winner.metric(name) for name in METRICS}


def _average_row(plan: Plan, name: str, rows: Sequence[Row]) -> Row:
    steps = {row.steps for row in rows}
    missing = _missing(rows) if rows else f"no {AVERAGES[name]} in this sweep"
    chosen = " and ".join(dict.fromkeys(row.selection for row in rows if row.selection))
    return Row(
        category=name,
        **{metric: _mean(rows, metric) for metric in METRICS},
        selection="; ".join(filter(None, (chosen, missing))),
        trial=None,
        steps=steps.pop() if len(steps) == 1 else None,
        encoder_weights=plan.encoder_weights,
        trials_done=sum(row.trials_done for row in rows),
        trials_planned=sum(row.trials_planned for row in rows),
        trials_pruned=sum(row.trials_pruned for row in rows),
        missing=missing,
        average=True,
    )


def _mean(rows: Sequence[Row], metric: str) -> float | None:
    values = [value for row in rows if (value := getattr(row, metric)) is not None]
    return statistics.fmean(values) if values else None


def _missing(rows: Sequence[Row]) -> str:
    """What an average over these rows leaves out, never in silence; "" when it is nothing."""
    counts = {m: sum(getattr(row, m) is not None for row in rows) for m in METRICS}
    total = len(rows)
    done = sum(row.trial is not None for row in rows)
    parts = []
    if done < total:
        parts.append(f"mean over {done} of {total} categories")
    parts += [
        f"{metric} over {count} of {total}" for metric, count in counts.items() if count < done
    ]
    return ", ".join(parts)


def percent(value: float | None) -> str:
    """A fraction in per cent with two digits; a dash for None."""
    return NONE if value is None else f"{100 * value:.2f}"


def mean_text(mean: float | None, deviation: float | None) -> str:
    """In per cent, with the deviation where there is one."""
    return percent(mean) if deviation is None else f"{percent(mean)} ± {percent(deviation)}"


def signed(difference: float | None) -> str:
    """A difference of fractions in points, with its sign; a dash for None."""
    return NONE if difference is None else f"{100 * difference:+.2f}"
