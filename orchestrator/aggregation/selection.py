"""Which trial of a category wins, and which configuration is best on average. Pure.

A configuration is a point of the grid; its trials differ by seed. Configurations are compared by
the mean over their seeds, so that no configuration wins by one lucky seed; the model to publish
is the best seed of the best configuration.

Trials are compared by the plan's selection:

- "synthetic": score on simulated anomalies of held-out normal images, higher is better; ties by
  the lower synthetic loss.
- "test": image AUROC, ties by pixel AUROC, of the test set. That is an oracle.

Last ties by the smaller trial key. Where the trials have nothing to be compared by (nothing was
held out, no test metric is defined) the first in the plan's order is taken and called so: a
synthetic selection never falls back on the test set.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.plan import Plan
from orchestrator.planning.reported_step import reported_step
from orchestrator.planning.trial import Trial

SYNTHETIC, ORACLE = "synthetic", "oracle"
ORACLE_STEP = "oracle step"
"""Beside how a trial was chosen, where the test set chose the step that its figures are of."""
ONLY_TRIAL, FIRST_PLANNED = "only trial", "first planned"
"""Where nothing could be compared: one trial was planned, or the first of several was taken."""


@dataclass(frozen=True)
class Finished:
    """A trial with its committed result."""

    trial: Trial
    result: Mapping[str, Any]

    def metric(self, name: str) -> float | None:
        """A metric on the test set, a fraction; None where it is not defined."""
        value: float | None = self.result["metrics"].get(name)
        return value


@dataclass(frozen=True)
class Choice:
    """The winning trial of one category."""

    winner: Finished
    by: str
    """synthetic, oracle, only trial or first planned."""
    seeds: tuple[Finished, ...]
    """The finished trials of the winning configuration, the winner among them, in plan order."""

    @property
    def selection(self) -> str:
        """How trial and step were chosen, for people: what flatters is said with the figures."""
        oracle = reported_step(self.winner.trial.method.by_name).oracle
        return f"{self.by}, {ORACLE_STEP}" if oracle else self.by


@dataclass(frozen=True)
class AverageChoice:
    """The one configuration that is best on average over categories (the paper's way)."""

    grid: Mapping[str, Any]
    by: str
    choices: Mapping[str, Choice]
    """Category -> its trial of this configuration; categories without any result are missing."""
    score: float | None
    """Mean over the categories of what it was chosen by; None for "first planned"."""

    @property
    def selection(self) -> str:
        """As of a Choice; of categories that differ (a row of theirs may set the step), each."""
        return " and ".join(dict.fromkeys(choice.selection for choice in self.choices.values()))


@dataclass(frozen=True)
class _Rank:
    """Sorts: larger is better."""

    first: float
    second: float


def best_per_category(
    plan: Plan, records: Mapping[str, Record], only: str | None = None
) -> dict[str, Choice]:
    """Category -> winner, for each category with a finished trial, in the plan's order.

    ``only``: look at this category alone.
    """
    choices = {}
    for category in plan.categories:
        if only is not None and category.category != only:
            continue
        finished = finished_of(plan, records, category.category)
        if finished:
            choices[category.category] = _choose(
                _comparable(finished), plan.selection, plan.planned(category.category)
            )
    return choices


def best_on_average(plan: Plan, records: Mapping[str, Record]) -> AverageChoice | None:
    """The best configuration among those that every category has finished with all seeds.

    Categories without any result cannot be asked; they are missing in ``choices`` too. None
    where no configuration is finished by all the others.
    """
    by_category = {
        c.category: _configurations(finished)
        for c in plan.categories
        if (finished := finished_of(plan, records, c.category))
    }
    if not by_category:
        return None
    seeds = Counter((trial.category, trial.configuration) for trial in plan.trials)
    shared = [
        text
        for text in next(iter(by_category.values()))
        if all(
            len(found.get(text, ())) == seeds[category, text] > 0
            for category, found in by_category.items()
        )
    ]
    if not shared:
        return None
    ranks = {
        text: _mean([_group_rank(found[text], plan.selection) for found in by_category.values()])
        for text in shared
    }
    by = _by([trial for f in by_category.values() for text in shared for trial in f[text]],
             plan.selection, len(shared))  # fmt: skip
    best = shared[0]
    if by in (SYNTHETIC, ORACLE):
        best = min(shared, key=lambda text: (_negative(ranks[text]), text))
    choices = {
        category: Choice(_best_seed(found[best], by), by, tuple(found[best]))
        for category, found in by_category.items()
    }
    grid = next(iter(choices.values())).winner.trial.grid
    rank = ranks[best]
    return AverageChoice(grid, by, choices, rank.first if rank and by != FIRST_PLANNED else None)


def finished_of(plan: Plan, records: Mapping[str, Record], category: str) -> list[Finished]:
    """The category's finished trials, in the plan's order."""
    found = []
    for trial in plan.trials_of(category):
        record = records.get(trial.key)
        if isinstance(record, Done):
            found.append(Finished(trial, record.result))
    return found


def _choose(groups: Sequence[Sequence[Finished]], selection: str, planned: int) -> Choice:
    by = _by([trial for group in groups for trial in group], selection, planned)
    group = groups[0]
    if by in (SYNTHETIC, ORACLE):
        group = min(
            groups,
            key=lambda g: (_negative(_group_rank(g, selection)), min(t.trial.key for t in g)),
        )
    return Choice(_best_seed(group, by), by, tuple(group))


def _comparable(finished: Sequence[Finished]) -> list[list[Finished]]:
    """The configurations that may be compared: those with the most finished seeds.

    A mean over one seed does not compete with a mean over three.
    """
    groups = list(_configurations(finished).values())
    most = max(map(len, groups))
    return [group for group in groups if len(group) == most]


def _configurations(finished: Iterable[Finished]) -> dict[str, list[Finished]]:
    groups: dict[str, list[Finished]] = {}
    for trial in finished:
        groups.setdefault(trial.trial.configuration, []).append(trial)
    return groups


def _by(candidates: Sequence[Finished], selection: str, planned: int) -> str:
    if all(_rank(trial, selection) is not None for trial in candidates):
        return ORACLE if selection == "test" else SYNTHETIC
    return ONLY_TRIAL if planned == 1 else FIRST_PLANNED


def _best_seed(group: Sequence[Finished], by: str) -> Finished:
    if by not in (SYNTHETIC, ORACLE):
        return group[0]
    selection = "test" if by == ORACLE else "synthetic"
    return min(group, key=lambda t: (_negative(_rank(t, selection)), t.trial.key))


def _rank(trial: Finished, selection: str) -> _Rank | None:
    """None where the trial has nothing to be compared by."""
    if selection == "test":
        image, pixel = trial.metric("image_auroc"), trial.metric("pixel_auroc")
        if image is None and pixel is None:
            return None
        return _Rank(0.0 if image is None else image, 0.0 if pixel is None else pixel)
    synthetic = trial.result.get("synthetic")
    return _Rank(synthetic["score"], -synthetic["loss"]) if synthetic else None


def _group_rank(group: Sequence[Finished], selection: str) -> _Rank | None:
    return _mean([_rank(trial, selection) for trial in group])


def _mean(ranks: Sequence[_Rank | None]) -> _Rank | None:
    known = [rank for rank in ranks if rank is not None]
    if not known or len(known) < len(ranks):
        return None
    return _Rank(
        statistics.fmean(rank.first for rank in known),
        statistics.fmean(rank.second for rank in known),
    )


def _negative(rank: _Rank | None) -> tuple[float, float]:
    if rank is None:  # only compared where all have one
        raise ValueError("trials without a score cannot be compared")
    return -rank.first, -rank.second
