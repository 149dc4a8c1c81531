"""How long a plan's trials take by what was recorded of each category. Pure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.planning.estimate import step_gflop
from orchestrator.planning.plan import Plan


def recorded_seconds(plan: Plan, results: Iterable[Mapping[str, Any]]) -> list[float]:
    """Seconds that each of the plan's trials trains and evaluates, without start-up.

    The category's recorded median step, for the trial's pixels, batch and steps, and its recorded
    evaluation; the median over all categories where a category has no record. ``results``:
    finished trials of one kind of machine. Raises ValueError where none of them has a step time.
    """
    steps: dict[str, list[float]] = defaultdict(list)
    evaluations: dict[str, list[float]] = defaultdict(list)
    for result in results:
        seconds, settings = result["seconds"], result["settings"]
        if not seconds.get("step_median"):
            continue
        gflop = step_gflop(settings["image.size"], settings["training.batch_size"])
        steps[result["category"]].append(seconds["step_median"] / gflop)
        evaluations[result["category"]].append(seconds["evaluate"])
    if not steps:
        raise ValueError("no recorded trial says how long a step took")
    step, evaluation = _medians(plan, steps), _medians(plan, evaluations)
    return [
        step[trial.category]
        * step_gflop(trial.method.image.size, trial.method.training.batch_size)
        * trial.method.training.max_steps
        + evaluation[trial.category]
        for trial in plan.trials
    ]


def _medians(plan: Plan, found: Mapping[str, list[float]]) -> dict[str, float]:
    medians = {category: statistics.median(values) for category, values in found.items()}
    other = statistics.median(medians.values())
    return {c.category: medians.get(c.category, other) for c in plan.categories}
