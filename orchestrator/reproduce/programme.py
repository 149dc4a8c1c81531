"""From experiments to trials: each experiment's, and all of them once. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.aggregation.winners import Beaten
from orchestrator.job.job import Job
from orchestrator.ledger.ledger import Done, Record
from orchestrator.planning.inventory import Inventory
from orchestrator.planning.joining import join_plans
from orchestrator.planning.mvtec_ad import published_inventory
from orchestrator.planning.plan import Plan, make_plan, trials_at
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.experiment import Experiment, Part


@dataclass(frozen=True)
class Programme:
    """Everything that was asked for."""

    parts: tuple[Part, ...]
    plan: Plan
    """The trials of all parts, each once."""

    def new_in(self, part: Part) -> tuple[Trial, ...]:
        """The part's trials that no earlier part has."""
        earlier: set[str] = set()
        for other in self.parts:
            if other is part:
                break
            earlier.update(trial.key for trial in other.plan.trials)
        return tuple(trial for trial in part.plan.trials if trial.key not in earlier)

    @property
    def trains(self) -> bool:
        """Whether anything of it is to be trained, as far as there are trials."""
        return any(part.experiment.trains for part in self.parts)

    @property
    def with_weights(self) -> frozenset[str]:
        """Keys of the trials whose weights stay."""
        return frozenset(
            trial.key
            for part in self.parts
            for row in part.experiment.rows
            if row.weights
            for trials in part.trials[row.name].values()
            for trial in trials
        )


def make_programme(
    job: Job, inventory: Inventory, auto_precision: str, experiments: Sequence[Experiment]
) -> Programme:
    """One plan for all experiments; at least one is needed. Raises SettingError as make_plan."""
    parts = tuple(make_part(job, inventory, auto_precision, one) for one in experiments)
    named = {c.category for part in parts for c in part.plan.categories}
    categories = [c for c in inventory.categories if c.category in named]
    return Programme(parts, join_plans([part.plan for part in parts], categories))


def with_published(inventory: Inventory) -> Inventory | None:
    """The inventory with MVTec AD's missing categories as they were published, for costs.

    None where all of them are there, or none.
    """
    present = {c.category for c in inventory.categories}
    whole = published_inventory().categories
    missing = tuple(c for c in whole if c.category not in present)
    if not missing or len(missing) == len(whole):
        return None
    return replace(inventory, categories=(*inventory.categories, *missing))


def make_part(job: Job, inventory: Inventory, auto_precision: str, experiment: Experiment) -> Part:
    """The experiment over all categories of the inventory that the paper does not leave out."""
    kept = tuple(c for c in inventory.categories if c.category not in experiment.leaves_out)
    points = [row.settings for row in experiment.rows]
    plan = make_plan(job, replace(inventory, categories=kept), auto_precision, points)
    trials = {
        row.name: {
            c.category: found
            for c in kept
            if (found := trials_at(plan, job, c.category, row.settings, auto_precision))
        }
        for row in experiment.rows
    }
    return Part(experiment, plan if experiment.trains else replace(plan, trials=()), trials)


def beaten_of(programme: Programme, before: Mapping[str, Record]) -> Beaten:
    """Whose weights go: those of rows that nothing else is made of.

    ``before``: what the ledger knew when the programme began. What was done then was done for
    something else, which may want its weights.
    """
    kept = programme.with_weights | {k for k, r in before.items() if isinstance(r, Done)}

    def beaten(
        plan: Plan, records: Mapping[str, Record], category: str | None = None
    ) -> tuple[Trial, ...]:
        trials = plan.trials if category is None else plan.trials_of(category)
        return tuple(t for t in trials if t.key not in kept and _done(t, records))

    return beaten


def _done(trial: Trial, records: Mapping[str, Record]) -> bool:
    return isinstance(records.get(trial.key), Done)


def count_done(trials: Collection[Trial], records: Mapping[str, Record]) -> int:
    """How many of them have a result."""
    return sum(_done(trial, records) for trial in trials)
