"""What a running Ray cluster has, for the plan: its devices need not be those of this machine."""

from __future__ import annotations

import ray

from memseg.config.precision import read_cpu_flags
from orchestrator.planning.hardware import GIB, Capacity
from orchestrator.running.ray_nodes import ask_each


def cluster_capacity() -> Capacity:
    """CPUs and GPUs of all alive nodes of the connected cluster; memory is the head's."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    heads = [node for node in nodes if "node:__internal_head__" in node]
    return Capacity(
        cpus=int(sum(node.get("CPU", 0) for node in nodes)),
        gpus=int(sum(node.get("GPU", 0) for node in nodes)),
        memory_gib=sum(node.get("memory", 0) for node in heads) / GIB,
    )


def common_cpu_flags() -> frozenset[str]:
    """CPU capabilities that every node which offers CPUs for work has."""
    working = [n["NodeID"] for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
    found = ask_each(working, _flags)
    return frozenset.intersection(*map(frozenset, found)) if found else frozenset()


@ray.remote(num_cpus=0)  # type: ignore[untyped-decorator]
def _flags() -> tuple[str, ...]:
    return read_cpu_flags()
