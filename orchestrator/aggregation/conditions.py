"""Under which conditions a sweep's figures were made, in sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from memseg.config.presets import NOT_THE_PAPERS
from orchestrator.aggregation.published import STEPS
from orchestrator.aggregation.selection import FIRST_PLANNED, ONLY_TRIAL
from orchestrator.aggregation.tables import Tables
from orchestrator.planning.plan import Plan
from orchestrator.planning.reported_step import reported_steps

_SEEN_FOR_BEST = ("screw", "transistor")
"""Categories on which RESULTS.md compares the options that became preset best."""


@dataclass(frozen=True)
class Condition:
    """One sentence; ``loud`` where it makes the figures mean less than they seem to."""

    text: str
    loud: bool = False


def conditions(tables: Tables) -> tuple[Condition, ...]:
    """What every reader of the tables has to know, the loudest first."""
    found = tuple(_conditions(tables))
    return tuple(c for c in found if c.loud) + tuple(c for c in found if not c.loud)


def encoder_conditions(plan: Plan, results: Iterable[Mapping[str, Any]]) -> Iterator[Condition]:
    """What the encoder began from. ``results``: of the trials whose figures are shown."""
    if plan.encoder_weights == "random":
        yield Condition(
            "RANDOM ENCODER WEIGHTS: these figures say nothing about what MemSeg can do", True
        )
        return
    yield Condition(f"encoder weights {plan.encoder_weights}")
    if any(result.get("bottleneck_weights") == "random" for result in results):
        yield Condition(
            "RANDOM BLOCK 4: the encoder's file has no layer4, so the bottleneck began from "
            "random weights",
            True,
        )


def _conditions(tables: Tables) -> Iterator[Condition]:
    chosen = [choice.winner.result for choice in tables.choices.values()]
    yield from encoder_conditions(tables.plan, chosen)
    yield from _selection(tables)
    if not tables.complete:
        yield Condition(f"INCOMPLETE: {tables.done} of {tables.planned} trials are done", True)
    if tables.pruned:
        yield Condition(
            f"{tables.pruned} of {tables.planned} trials were stopped early by successive halving "
            "and are in no table; --scheduler none lets them go on"
        )
    if tables.rows[-3].image_auroc is None:
        yield Condition("no image AUROC at all", True)
    yield from training_conditions(tables.plan)
    yield from step_conditions(tables.plan)
    yield from preset_conditions(tables.plan)
    yield from texture_conditions(tables.plan)
    yield from metric_conditions(tables.plan)


def _selection(tables: Tables) -> Iterator[Condition]:
    if tables.plan.selection == "test":
        yield Condition(
            "ORACLE: trials were chosen by their image AUROC on the test set, which flatters", True
        )
    else:
        yield Condition(
            "selection synthetic: trials are chosen by simulated anomalies on normal images that "
            "were held out of training; the test set chooses no trial"
        )
    ways = {choice.by for choice in tables.choices.values()}
    if FIRST_PLANNED in ways:
        yield Condition(
            f"NOTHING TO CHOOSE BY where selection is {FIRST_PLANNED!r}: nothing was held out, or "
            "no test metric is defined; the first trial in the plan's order is shown",
            True,
        )
    if ONLY_TRIAL in ways:
        yield Condition(f"{ONLY_TRIAL}: the category has one trial, nothing was chosen")


def training_conditions(plan: Plan) -> Iterator[Condition]:
    """How the plan's trials are trained."""
    if not plan.trials:
        return
    steps = _distinct(plan, lambda m: m.training.max_steps)
    few = f" (the paper trains {STEPS})" if steps != [STEPS] else ""
    yield Condition(f"steps {_either(steps)}{few}", loud=max(steps) < STEPS // 2)
    yield Condition(
        f"precision {_either(_distinct(plan, lambda m: m.training.precision))}, "
        f"image size {_either(_distinct(plan, lambda m: m.image.size))}, "
        f"batch size {_either(_distinct(plan, lambda m: m.training.batch_size))}, "
        f"seeds {_list(plan.seeds)}, preset {plan.preset}"
    )


def step_conditions(plan: Plan) -> Iterator[Condition]:
    """Which step of their runs the figures are of."""
    for chosen in reported_steps(trial.method.by_name for trial in plan.trials):
        yield Condition(f"reported step: {chosen}", chosen.oracle)


def preset_conditions(plan: Plan) -> Iterator[Condition]:
    """How far the preset is the paper's, and what its settings were found with."""
    if plan.preset == "paper":
        yield Condition(
            "preset paper is the paper's letter where it speaks; not from the paper: "
            f"{NOT_THE_PAPERS}"
        )
    if plan.preset != "best":
        return
    seen = [c for c in _SEEN_FOR_BEST if any(t.category == c for t in plan.trials)]
    flatter = f": the figures of {' and '.join(seen)} flatter" if seen else ""
    yield Condition(
        "preset best was put together with the test images of "
        f"{' and '.join(_SEEN_FOR_BEST)} in view{flatter}",
        bool(seen),
    )


def texture_conditions(plan: Plan) -> Iterator[Condition]:
    """What textural anomalies are made of."""
    if not plan.trials:
        return
    source = (
        f"drawn by the code in place of DTD ({plan.textures})"
        if plan.textures.startswith("procedural")
        else f"{plan.texture_images} images ({plan.textures})"
    )
    yield Condition(f"textures {source}")


def metric_conditions(plan: Plan) -> Iterator[Condition]:
    """What the trials' metrics depend on."""
    limits = _distinct(plan, lambda m: m.evaluation.aupro_limit)
    if limits:
        yield Condition(f"aupro up to a false positive rate of {_either(limits)}")


def _distinct(plan: Plan, of: Callable[[Any], Any]) -> list[Any]:
    return sorted({of(trial.method) for trial in plan.trials})


def _either(values: Iterable[Any]) -> str:
    return " or ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _list(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))
