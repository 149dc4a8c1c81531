"""What a running Ray cluster has, for the plan: its devices need not be those of this machine."""

from __future__ import annotations

from typing import Any

import ray
from ray._private.state import state

from memseg.config.precision import read_cpu_flags
from orchestrator.job.settings import ResourcesConfig
from orchestrator.planning.hardware import Capacity
from orchestrator.running.cluster_shape import UNLIMITED, ClusterShape, NodeGroup, named_groups
from orchestrator.running.ray_nodes import ask_each


def cluster_shape(resources: ResourcesConfig) -> ClusterShape:
    """The connected cluster's alive nodes, and what its autoscaler may add by the settings."""
    nodes = tuple(node["Resources"] for node in ray.nodes() if node["Alive"])
    return ClusterShape(nodes, named_groups(resources) or _told_groups())


def _told_groups() -> tuple[NodeGroup, ...]:
    # Ray has no public question for the autoscaler's limits; its own Data library asks so too.
    # Ray 2.60's autoscaler leaves the answer empty: hence the settings.
    config = state.get_cluster_config()
    return () if config is None else tuple(_group(g) for g in config.node_group_configs)


def _group(group: Any) -> NodeGroup:
    most = UNLIMITED if group.max_count < 0 else int(group.max_count)
    return NodeGroup(dict(group.resources), most)


def cluster_capacity(resources: ResourcesConfig) -> Capacity:
    """CPUs and GPUs that the connected cluster has or may get; memory is the head's."""
    shape = cluster_shape(resources)
    return Capacity(
        cpus=int(shape.total("CPU")),
        gpus=int(shape.total("GPU")),
        memory_gib=shape.head_memory_gib,
        trains_elsewhere=shape.has_others,
    )


def common_cpu_flags() -> frozenset[str]:
    """CPU capabilities that every node which offers CPUs for work has."""
    working = [n["NodeID"] for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
    found = ask_each(working, _flags)
    return frozenset.intersection(*map(frozenset, found)) if found else frozenset()


@ray.remote(num_cpus=0)  # type: ignore[untyped-decorator]
def _flags() -> tuple[str, ...]:
    return read_cpu_flags()
