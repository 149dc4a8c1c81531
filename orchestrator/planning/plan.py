"""The plan: which trials a job is, which it cannot be, and why. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from memseg.config import MethodConfig
from memseg.errors import SettingError
from orchestrator.job.job import Axis, Job
from orchestrator.job.start import Start
from orchestrator.planning import trial as trials_json
from orchestrator.planning.grid import grid_points
from orchestrator.planning.inventory import CategoryInventory, Inventory
from orchestrator.planning.possible import Dropped, Points, possible_points
from orchestrator.planning.starting import objection
from orchestrator.planning.trial import Inputs, Trial

FORMAT = 1
"""Of plan.json; raised when an older program could not read it."""

NOTHING_CHOSEN = "none"
"""Selection of a plan whose trials are each reported by themselves."""


@dataclass(frozen=True)
class Refused:
    """A trial that was asked for but cannot be run: its category has a problem."""

    category: str
    seed: int
    grid: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """Everything that tables need beside the ledger. Says nothing of where or when it runs."""

    name: str
    selection: str
    """synthetic, test, or NOTHING_CHOSEN."""
    keep_weights: str
    preset: str
    seeds: tuple[int, ...]
    axes: tuple[Axis, ...]
    textures: str
    texture_images: int
    encoder_weights: str
    categories: tuple[CategoryInventory, ...]
    """In the order of the tables; those with a problem too."""
    trials: tuple[Trial, ...] = ()
    """By category, then grid, then seed; no two have one key."""
    refused: tuple[Refused, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    """Category -> why none of its trials can be run (a failure of kind "data")."""
    notes: tuple[str, ...] = ()

    def trials_of(self, category: str) -> tuple[Trial, ...]:
        """The category's trials that can be run."""
        return self._by_category.get(category, ())

    @cached_property
    def _by_category(self) -> Mapping[str, tuple[Trial, ...]]:
        found: dict[str, list[Trial]] = defaultdict(list)
        for trial in self.trials:
            found[trial.category].append(trial)
        return {category: tuple(trials) for category, trials in found.items()}

    def planned(self, category: str) -> int:
        """How many trials were asked for: those that cannot be run count, dropped ones do not."""
        refused = sum(r.category == category for r in self.refused)
        return len(self.trials_of(category)) + refused

    def to_json(self) -> dict[str, Any]:
        """For plan.json; equal plans give equal values. ``from_json`` reads it."""
        return {
            "format": FORMAT,
            **{name: getattr(self, name) for name in _PLAIN},
            "seeds": list(self.seeds),
            "notes": list(self.notes),
            "problems": dict(self.problems),
            "axes": [{"names": list(a.names), "values": _lists(a.values)} for a in self.axes],
            "categories": [_without_files(c) for c in self.categories],
            "trials": [t.to_json() for t in self.trials],
            "refused": [{**vars(r), "grid": _lists(r.grid)} for r in self.refused],
            "dropped": [{**vars(d), "values": _lists(d.values)} for d in self.dropped],
        }


_PLAIN = (
    "name", "selection", "keep_weights", "preset", "textures", "texture_images", "encoder_weights",
)  # fmt: skip


def from_json(value: Mapping[str, Any]) -> Plan:
    """The plan that ``Plan.to_json`` wrote. Raises SettingError for another format."""
    if value.get("format") != FORMAT:
        raise SettingError(
            f"plan.json has format {value.get('format')!r}, this program reads {FORMAT}: "
            f"run the sweep's command again"
        )
    return Plan(
        **{name: value[name] for name in _PLAIN},
        seeds=tuple(value["seeds"]),
        notes=tuple(value["notes"]),
        problems=dict(value["problems"]),
        axes=tuple(Axis(tuple(a["names"]), _tuples(a["values"])) for a in value["axes"]),
        categories=tuple(CategoryInventory(**c) for c in value["categories"]),
        trials=tuple(trials_json.from_json(t) for t in value["trials"]),
        refused=tuple(Refused(**{**r, "grid": _tuples(r["grid"])}) for r in value["refused"]),
        dropped=tuple(Dropped(**{**d, "values": _tuples(d["values"])}) for d in value["dropped"]),
    )


def make_plan(
    job: Job,
    inventory: Inventory,
    auto_precision: str,
    points: Sequence[Mapping[str, Any]] | None = None,
) -> Plan:
    """Category x grid x seeds. Pure.

    ``auto_precision``: "fp32" or "bf16", what training.precision auto means on the device that
    will train (memseg.config.precision), which need not be the one that plans.
    ``points``: {dotted name: value} each, in place of the job's grid; they may name different
    settings, and what one does not name is what it is without it, category by category. Nothing
    is chosen among them.

    A category whose images cannot be listed, or are too few for every point of the grid, is a
    problem of the plan, not an error; grid values that only some categories cannot have are
    dropped for those. Raises SettingError for values out of range, and where trials are to be
    chosen by synthetic validation without held-out images.
    """
    plan = Plan(
        name=job.config.name,
        selection=job.config.selection if points is None else NOTHING_CHOSEN,
        keep_weights=job.config.keep_weights,
        preset=job.config.preset,
        seeds=job.config.seeds,
        axes=job.grid if points is None else (),
        textures=inventory.textures,
        texture_images=inventory.texture_images,
        encoder_weights=inventory.encoder_weights,
        # The hashes have done their work here, and plan.json stays readable.
        categories=tuple(replace(c, train_hashes=(), files={}) for c in inventory.categories),
        notes=tuple(_unused_categories(job, inventory)),
    )
    wanted = grid_points(job.grid) if points is None else [dict(point) for point in points]
    for category in inventory.categories:
        plan = _with_category(plan, job, category, auto_precision, wanted)
    return plan


def trials_at(
    plan: Plan, job: Job, category: str, point: Mapping[str, Any], auto_precision: str
) -> tuple[Trial, ...]:
    """The plan's trials of a category at a point, one a seed, as ``make_plan`` made them.

    Also where they were merged with those of an equal point. () where it cannot be run.
    """
    if category in plan.problems:
        return ()
    method = _method(job, category, point, auto_precision)
    return tuple(trial for trial in plan.trials_of(category) if trial.method == method)


def _with_category(
    plan: Plan,
    job: Job,
    category: CategoryInventory,
    precision: str,
    wanted: Sequence[dict[str, Any]],
) -> Plan:
    name = category.category
    points = [(point, _method(job, name, point, precision)) for point in wanted]
    possible, dropped = possible_points(category, points, plan.seeds)
    problem = category.problem
    if not possible and not problem:
        problem = dropped[0].reason
    if problem:
        refused = tuple(
            Refused(name, seed, point)
            for point in {str(p): p for p, _ in points}.values()
            for seed in dict.fromkeys(plan.seeds)
        )
        return replace(
            plan,
            problems={**plan.problems, name: problem},
            refused=plan.refused + refused,
        )
    made, start_notes = _trials(plan, job.starts.get(name), category, possible)
    unique = {trial.key: trial for trial in reversed(made)}
    trials = tuple(trial for trial in made if unique[trial.key] is trial)
    _check_selection(plan, name, trials)
    merged = len(made) - len(trials)
    note = (f"{name}: {merged} trials equal to others were merged",) if merged else ()
    note = (*start_notes, *note)
    return replace(
        plan,
        trials=plan.trials + trials,
        dropped=plan.dropped + dropped,
        notes=plan.notes + note,
    )


def _trials(
    plan: Plan, start: Start | None, category: CategoryInventory, points: Points
) -> tuple[list[Trial], tuple[str, ...]]:
    """All trials of a category, and what is to be said of where they start."""
    name = category.category
    inputs = Inputs(
        category.train_fingerprint, category.test_fingerprint, plan.textures, plan.encoder_weights
    )
    version: str | None = None
    notes: tuple[str, ...] = ()
    if start is not None and points:
        reasons = (objection(start, method, plan.encoder_weights) for _, method in points)
        # All or none: they are chosen among by scores that flatter what began with a model.
        reason = next(filter(None, reasons), "")
        if reason:
            notes = (f"{name}: starts afresh, not from version {start.version}: {reason}",)
        else:
            notes = (f"{name}: starts from the weights of version {start.version}",)
            inputs, version = replace(inputs, start=start.weights), start.version
    made = [Trial(name, seed, method, inputs, point, version)
            for point, method in points for seed in plan.seeds]  # fmt: skip
    return made, notes


def _method(job: Job, category: str, point: Mapping[str, Any], precision: str) -> MethodConfig:
    try:
        method = job.method_for(category, point)
        if method.training.precision == "auto":
            training = replace(method.training, precision=precision)  # type: ignore[arg-type]
            return replace(method, training=training)
    except SettingError as error:
        raise SettingError(f"category {category!r}: {error}") from error
    return method


def _check_selection(plan: Plan, category: str, trials: tuple[Trial, ...]) -> None:
    if plan.selection != "synthetic" or len(trials) < 2:
        return
    if any(trial.method.validation.held_out_share == 0 for trial in trials):
        raise SettingError(
            f"category {category!r}: {len(trials)} trials cannot be chosen among by synthetic "
            f"validation when nothing is held out (validation.held_out_share 0, as in preset "
            f"paper); use preset default, or selection test, which is an oracle and marked as one"
        )


def _unused_categories(job: Job, inventory: Inventory) -> Iterator[str]:
    present = {category.category for category in inventory.categories}
    for name in job.per_category:
        if name not in present:
            yield f"per_category {name!r} is not among the categories of this sweep"


def _without_files(category: CategoryInventory) -> dict[str, Any]:
    return {name: value for name, value in asdict(category).items() if name != "files"}


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _lists(inner) for name, inner in value.items()}
    return [_lists(v) for v in value] if isinstance(value, (tuple, list)) else value


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _tuples(inner) for name, inner in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, (tuple, list)) else value
