"""Asks each node of the cluster; proves before the start that each sees the workspace."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import NodeDiedError, TaskUnschedulableError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from memseg.errors import MemSegError, StorageError
from memseg.storage import Folder
from orchestrator.running.ray_failures import in_words

ANSWERS_S = 300.0
"""So long a node may take to answer; starting a process there takes seconds."""
_GONE = (NodeDiedError, TaskUnschedulableError)


def check_workspace_on_nodes(workspace: Folder) -> None:
    """Raises StorageError naming how many nodes do not see a marker file of the workspace.

    A workspace on an object store is the same everywhere; on one node there is nothing to ask.
    """
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    if len(nodes) < 2 or not workspace.is_local:
        return
    name = f".seen-by-all-nodes-{secrets.token_hex(4)}"
    workspace.write(name, b"")
    try:
        blind = sum(not seen for seen in ask_each(nodes, _sees, workspace, name))
    finally:
        workspace.delete(name)
    if blind:
        raise StorageError(
            f"{blind} of {len(nodes)} nodes do not see the workspace {workspace.path}: put it on "
            "storage that all nodes share (NFS at the same path, or s3://…)"
        )


def ask_each(nodes: Sequence[str], task: Any, *arguments: Any) -> list[Any]:
    """What a remote function answers on each of the nodes, by their ids.

    A node that goes away meanwhile has no answer: it will train nothing either. Raises a
    MemSegError of the function, and StorageError for any other and where a node does not answer.
    """
    places = [NodeAffinitySchedulingStrategy(node_id=node, soft=False) for node in nodes]
    asked = [task.options(scheduling_strategy=p).remote(*arguments) for p in places]
    return [answer for reference in asked for answer in _answer(reference)]


def _answer(reference: Any) -> list[Any]:
    """The one answer, or none of a node that is gone."""
    try:
        with in_words("a node of the cluster failed or did not answer", StorageError):
            return [ray.get(reference, timeout=ANSWERS_S)]
    except StorageError as error:
        if isinstance(error.__cause__, _GONE):
            return []
        cause = getattr(error.__cause__, "cause", None)
        raise (cause if isinstance(cause, MemSegError) else error) from None


@ray.remote(num_cpus=0)  # type: ignore[untyped-decorator]
def _sees(workspace: Folder, name: str) -> bool:
    return workspace.exists(name)
