"""How many trials a cluster holds, now and with what its autoscaler may add."""

from __future__ import annotations

import pytest

from orchestrator.job.settings import ResourcesConfig
from orchestrator.planning.allotment import Allotment
from orchestrator.running.cluster_shape import UNLIMITED, ClusterShape, NodeGroup, named_groups

HEAD = {"CPU": 0.0, "node:__internal_head__": 1.0}
GPU_NODE = {"CPU": 16.0, "GPU": 4.0}


def allotment(cpus: int = 2, gpus: float = 0.0) -> Allotment:
    return Allotment("ray", "cuda" if gpus else "cpu", cpus, cpus, gpus, 1, "trials")


@pytest.mark.parametrize(
    ("cpus", "gpus", "holds"),
    [(2, 0.0, 8), (3, 0.0, 5), (17, 0.0, 0), (2, 1.0, 4), (2, 0.5, 8), (4, 0.5, 4), (2, 0.4, 8),
     (2, 0.6, 4), (2, 2.0, 2), (2, 8.0, 0)],
)  # fmt: skip
def test_a_node_holds_what_its_cpus_and_whole_gpus_admit(
    cpus: int, gpus: float, holds: int
) -> None:
    shape = ClusterShape((HEAD, GPU_NODE))
    assert shape.holds(allotment(cpus, gpus)) == holds


def test_a_group_that_starts_from_zero_counts_with_all_its_nodes() -> None:
    shape = ClusterShape((HEAD,), (NodeGroup(GPU_NODE, 8), NodeGroup(GPU_NODE, 2)))
    assert shape.holds(allotment(2, 1.0)) == 40
    assert (shape.total("GPU"), shape.largest("GPU"), shape.largest("CPU")) == (40, 4, 16)


def test_nodes_of_a_group_that_are_there_are_not_counted_twice() -> None:
    shape = ClusterShape((HEAD, GPU_NODE, GPU_NODE), (NodeGroup(GPU_NODE, 2),))
    assert shape.holds(allotment(2, 1.0)) == 8
    assert shape.total("GPU") == 8


def test_a_cluster_without_room_holds_nothing() -> None:
    assert ClusterShape((HEAD,)).holds(allotment()) == 0
    assert ClusterShape(()).largest("CPU") == 0
    empty = ClusterShape((HEAD,), (NodeGroup(GPU_NODE, 0),))
    assert (empty.holds(allotment(2, 1.0)), empty.largest("GPU")) == (0, 0)


def test_a_group_without_a_limit_holds_any_number() -> None:
    assert ClusterShape((), (NodeGroup(GPU_NODE, UNLIMITED),)).holds(allotment(2, 1.0)) > 10**6


def test_nodes_that_the_settings_name_count_though_none_is_there() -> None:
    resources = ResourcesConfig(autoscaled_nodes=16, autoscaled_cpus=7, autoscaled_gpus=1)
    shape = ClusterShape((HEAD,), named_groups(resources))
    assert shape.holds(allotment(2, 1.0)) == 16
    assert (shape.total("CPU"), shape.total("GPU")) == (112, 16)
    assert named_groups(ResourcesConfig()) == ()
