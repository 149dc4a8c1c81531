"""Points of a grid and the identity of a configuration."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.job.job import Axis
from orchestrator.planning.grid import configuration, describe_point, grid_points

LR = Axis(("optimizer.lr",), ((0.02,), (0.04,)))
PAIR = Axis(("loss.l1_weight", "loss.focal_weight"), ((0.4, 0.6), (0.5, 0.5), (0.6, 0.4)))


def test_no_axes_are_one_point_without_values() -> None:
    assert grid_points([]) == [{}]


def test_pairs_move_together_and_the_last_axis_moves_fastest() -> None:
    points = grid_points([LR, PAIR])
    assert [(p["optimizer.lr"], p["loss.l1_weight"], p["loss.focal_weight"]) for p in points] == [
        (0.02, 0.4, 0.6), (0.02, 0.5, 0.5), (0.02, 0.6, 0.4),
        (0.04, 0.4, 0.6), (0.04, 0.5, 0.5), (0.04, 0.6, 0.4),
    ]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(), min_size=1, max_size=4, unique=True), max_size=4))
def test_there_are_as_many_points_as_the_axes_lengths_multiply_to(lists: list[list[int]]) -> None:
    axes = [Axis((f"a.{i}",), tuple((v,) for v in vs)) for i, vs in enumerate(lists)]
    points = grid_points(axes)
    assert len(points) == math.prod(map(len, lists))
    assert len({configuration(p) for p in points}) == len(points)


def test_a_configuration_does_not_depend_on_order_nor_on_a_trip_through_json() -> None:
    point = {"b.y": (1, 2.5), "a.x": 0.1}
    other = {"a.x": 0.1, "b.y": [1, 2.5]}
    assert configuration(point) == configuration(other) == '{"a.x":0.1,"b.y":[1,2.5]}'
    assert configuration(json.loads(configuration(point))) == configuration(point)


def test_a_point_is_described_for_people() -> None:
    point = {"optimizer.lr": 0.02, "simulation.transparency": (0.1, 1.0)}
    assert describe_point(point) == "optimizer.lr 0.02, simulation.transparency [0.1, 1.0]"
    assert describe_point({}) == "no grid"
