"""What a cluster holds now, and what its autoscaler may still add. Pure; Ray's answers as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.job.settings import ResourcesConfig
from orchestrator.planning.allotment import Allotment
from orchestrator.planning.hardware import GIB

UNLIMITED = 10**6
"""Nodes of a group without a limit of its own."""
_SURE = 0.9
"""Of a node's memory: Ray measures it anew when the node starts again."""


@dataclass(frozen=True)
class NodeGroup:
    """Machines of one kind that the autoscaler starts when trials wait for them."""

    resources: Mapping[str, float]
    """Of one node: CPU, GPU, and memory in bytes where it is known."""
    most: int
    """Nodes at most."""


@dataclass(frozen=True)
class ClusterShape:
    """The alive nodes' resources, and the autoscaler's groups: () where there is none."""

    nodes: tuple[Mapping[str, float], ...]
    groups: tuple[NodeGroup, ...] = ()

    def total(self, resource: str) -> float:
        """Of all alive nodes, or of all that may be alive at once where that is more."""
        alive = sum(node.get(resource, 0) for node in self.nodes)
        return max(alive, sum(g.most * g.resources.get(resource, 0) for g in self.groups))

    def largest(self, resource: str) -> float:
        """Of a single node, alive or not."""
        kinds = [*self.nodes, *(group.resources for group in self.groups if group.most)]
        return max((kind.get(resource, 0) for kind in kinds), default=0)

    @property
    def head_memory_gib(self) -> float:
        """What Ray sees of the head's memory."""
        heads = [node for node in self.nodes if "node:__internal_head__" in node]
        return sum(node.get("memory", 0) for node in heads) / GIB

    @property
    def has_others(self) -> bool:
        """Whether there are machines beside a single one, or may be."""
        return len(self.nodes) > 1 or bool(self.groups)

    def memory_to_reserve(self, allotment: Allotment) -> int:
        """Bytes that a worker is to set aside on its node, 0 for none.

        Without it Ray would fill a node by its CPUs. No more than the largest node surely has: it
        would wait for ever; a smaller node gets no worker. None where a node's memory is not known,
        for the same reason, and none on a single machine: the planner has counted its memory.
        """
        kinds = [*self.nodes, *(group.resources for group in self.groups if group.most)]
        fitting = [kind for kind in kinds if _on_node(kind, allotment)]
        if not self.has_others or not fitting or any("memory" not in kind for kind in fitting):
            return 0
        largest = max(kind["memory"] for kind in fitting)
        return int(min(allotment.worker_gib * GIB, _SURE * largest))

    def holds(self, allotment: Allotment) -> int:
        """How many workers of trials fit at once."""
        memory = self.memory_to_reserve(allotment)
        alive = sum(_on_node(node, allotment, memory) for node in self.nodes)
        groups = (g.most * _on_node(g.resources, allotment, memory) for g in self.groups)
        return max(alive, sum(groups))


def named_groups(resources: ResourcesConfig) -> tuple[NodeGroup, ...]:
    """The autoscaler's nodes by the settings: () where they name none."""
    if not resources.autoscaled_nodes:
        return ()
    node: dict[str, float] = {"CPU": resources.autoscaled_cpus, "GPU": resources.autoscaled_gpus}
    if resources.autoscaled_memory_gib:
        node["memory"] = resources.autoscaled_memory_gib * GIB
    return (NodeGroup(node, resources.autoscaled_nodes),)


def _on_node(node: Mapping[str, float], allotment: Allotment, memory: int = 0) -> int:
    holds = int(node.get("CPU", 0) // allotment.cpus)
    if allotment.gpus > 0:
        # A fraction never spans two GPUs.
        gpus = int(node.get("GPU", 0))
        of_gpus = int(gpus / allotment.gpus + 1e-9)
        holds = min(holds, gpus * int(1 / allotment.gpus + 1e-9) if allotment.gpus < 1 else of_gpus)
    if memory > 0:
        holds = min(holds, int(node.get("memory", 0) // memory))
    return holds
