"""How many trials a cluster holds, now and with what its autoscaler may add."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memseg.errors import SettingError
from orchestrator.job.settings import ResourcesConfig
from orchestrator.planning.allotment import Allotment
from orchestrator.planning.hardware import GIB
from orchestrator.running.cluster_shape import UNLIMITED, ClusterShape, NodeGroup, named_groups
from orchestrator.running.ray_executor import _fitting

HEAD = {"CPU": 0.0, "node:__internal_head__": 1.0}
GPU_NODE = {"CPU": 16.0, "GPU": 4.0}


def allotment(cpus: int = 2, gpus: float = 0.0, gib: float = 0.0) -> Allotment:
    device = "cuda" if gpus else "cpu"
    return Allotment("ray", device, cpus, cpus, gpus, 1, "trials", worker_gib=gib)


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


def with_memory(node: dict[str, float], gib: float) -> dict[str, float]:
    return {**node, "memory": gib * GIB}


@pytest.mark.parametrize(
    ("gib", "node", "holds"),
    [(4.0, 32.5, 8), (5.0, 32.5, 6), (40.0, 32.5, 1), (31.0, 32.5, 1), (0.0, 32.5, 8)],
)
def test_a_node_holds_what_its_memory_admits_and_one_at_least(
    gib: float, node: float, holds: int
) -> None:
    shape = ClusterShape((with_memory(HEAD, 200), with_memory(GPU_NODE, node)))
    assert shape.holds(allotment(2, 0.0, gib)) == holds
    assert shape.holds(allotment(17, 0.0, gib)) == 0


def test_a_worker_sets_aside_what_it_takes_and_small_nodes_get_none() -> None:
    head, large, small = (
        with_memory(HEAD, 2), with_memory(GPU_NODE, 32), with_memory(GPU_NODE, 3),
    )  # fmt: skip
    for nodes in ((head, large), (head, large, small)):
        assert ClusterShape(nodes).memory_to_reserve(allotment(2, 1.0, 4.0)) == 4 * GIB
        assert ClusterShape(nodes).holds(allotment(2, 1.0, 4.0)) == 4
    # Where all are too small, a little less than one has: the figure is an estimate.
    assert ClusterShape((head, small)).memory_to_reserve(allotment(2, 1.0, 4.0)) == int(2.7 * GIB)
    assert ClusterShape((head, small)).holds(allotment(2, 1.0, 4.0)) == 1


def test_memory_is_set_aside_only_where_every_kind_of_node_says_its_own() -> None:
    head, large = with_memory(HEAD, 2), with_memory(GPU_NODE, 32)
    one = allotment(2, 1.0, 4.0)
    assert ClusterShape((large,)).memory_to_reserve(one) == 0  # the planner has counted it
    unknown = ClusterShape((head, large), (NodeGroup(GPU_NODE, 2),))
    assert (unknown.memory_to_reserve(one), unknown.holds(one)) == (0, 8)
    known = ResourcesConfig(autoscaled_nodes=2, autoscaled_cpus=7, autoscaled_memory_gib=9)
    groups = ClusterShape((head,), named_groups(known))
    two = allotment(2, 0.0, 4.0)
    assert (groups.memory_to_reserve(two), groups.holds(two)) == (4 * GIB, 4)


def test_workers_of_one_trial_take_their_own_places() -> None:
    resources = ResourcesConfig(workers_per_trial=2)
    shape = ClusterShape((with_memory(HEAD, 200), GPU_NODE))
    two = replace(allotment(2, 1.0), workers=2, at_once=1)
    assert _fitting(shape, two, resources) == 2
    few = ClusterShape((with_memory(HEAD, 1.5), GPU_NODE))
    assert _fitting(few, two, resources) == 1  # the head's memory holds one controller
    with pytest.raises(SettingError, match="the largest node that the cluster has has 16 CPUs"):
        _fitting(shape, allotment(17), resources)
