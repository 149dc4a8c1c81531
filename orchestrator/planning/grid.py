"""The points of a grid, and the identity of a configuration across categories."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.job.job import Axis


def grid_points(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """Every combination of the axes' values as {dotted name: value}; [{}] without axes.

    The last axis moves fastest.
    """
    return [
        {name: value for axis, values in zip(axes, choice)
         for name, value in zip(axis.names, values)}
        for choice in itertools.product(*(axis.values for axis in axes))
    ]  # fmt: skip


def configuration(point: Mapping[str, Any]) -> str:
    """What trials of different categories have in common: the grid's values as canonical JSON.

    Trials with equal text are one configuration in "best on average", also where their
    categories differ in settings of their own. "{}" without a grid.
    """
    return json.dumps(point, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def describe_point(point: Mapping[str, Any]) -> str:
    """For people: "optimizer.lr 0.02, memory.samples 30"."""
    return ", ".join(f"{name} {_shown(value)}" for name, value in point.items()) or "no grid"


def _shown(value: Any) -> str:
    return f"[{', '.join(map(_shown, value))}]" if isinstance(value, (list, tuple)) else str(value)
