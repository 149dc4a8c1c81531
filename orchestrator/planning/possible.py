"""Which points of the grid a category has enough normal images for. Pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memseg.config import MethodConfig
from memseg.config.method import EvaluationConfig, MemoryConfig, ValidationConfig
from memseg.data.roles import check_roles, count_held_out
from memseg.errors import DataError, SettingError
from memseg.metrics.rates import check_rates
from orchestrator.planning.inventory import CategoryInventory

_ROLE_SETTINGS = (
    "memory.samples",
    "memory.most_share",
    "difference.normalisation",
    "validation.held_out_share",
    "validation.held_out_least",
    "validation.held_out_most",
    "training.batch_size",
    "evaluation.false_positive_rate",
    "evaluation.pixel_false_positive_rate",
)
"""Only these decide whether a category has enough normal images."""


@dataclass(frozen=True)
class Dropped:
    """Grid values that one category cannot have; the others keep them."""

    category: str
    values: Mapping[str, Any]
    reason: str


Points = list[tuple[dict[str, Any], MethodConfig]]


def possible_points(
    category: CategoryInventory, points: Points, seeds: Sequence[int]
) -> tuple[Points, tuple[Dropped, ...]]:
    """The points that the category has images for, and what kept it from the others."""
    if category.problem:
        return [], ()
    possible: Points = []
    dropped: dict[str, Dropped] = {}
    # Most of a grid does not touch roles: each combination of what does is looked at once.
    lack = functools.cache(functools.partial(_lack, category))
    held_out = functools.cache(functools.partial(_held_out, category, tuple(seeds)))
    for point, method in points:
        reason = lack(
            held_out(method.validation),
            method.memory,
            method.model.memory and method.difference.normalisation != "none",
            method.training.batch_size,
            method.evaluation,
            method.image.size,
        )
        if reason is None:
            possible.append((point, method))
        else:
            values = {n: v for n, v in point.items() if n in _ROLE_SETTINGS}
            dropped.setdefault(str(values), Dropped(category.category, values, reason))
    return possible, tuple(dropped.values())


def _held_out(
    category: CategoryInventory, seeds: Sequence[int], validation: ValidationConfig
) -> tuple[int, ...]:
    """How many normal images each seed holds out, without repetition, in the order of seeds."""
    counts = (
        count_held_out(
            category.train_hashes,
            seed,
            validation.held_out_share,
            validation.held_out_least,
            validation.held_out_most,
        )
        for seed in seeds
    )
    return tuple(dict.fromkeys(counts))


def _lack(
    category: CategoryInventory,
    held_out: Sequence[int],
    memory: MemoryConfig,
    normalised: bool,
    batch_size: int,
    evaluation: EvaluationConfig,
    size: int,
) -> str | None:
    """Why the normal images are too few for one of the seeds; None when they are enough.

    ``normalised``: the difference is divided by what is typical between memory samples.
    """
    try:
        for count in held_out:
            samples = check_roles(
                category.train_hashes,
                count,
                memory.samples,
                batch_size,
                category.category,
                memory.most_share,
            )
            if normalised and samples < 2:
                return (
                    f"category {category.category!r} gets one memory sample, difference."
                    "normalisation compares at least 2 with each other: raise memory.samples, or "
                    "set it to none"
                )
            check_rates(evaluation, count, size)
    except (DataError, SettingError) as error:
        return str(error)
    return None
