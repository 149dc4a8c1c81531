"""Proves before the start that each node of the cluster sees the workspace."""

from __future__ import annotations

import secrets
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from memseg.errors import StorageError
from memseg.storage import Folder


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
        blind = sum(not seen for seen in ray.get([_look(workspace, name, n) for n in nodes]))
    finally:
        workspace.delete(name)
    if blind:
        raise StorageError(
            f"{blind} of {len(nodes)} nodes do not see the workspace {workspace.path}: put it on "
            "storage that all nodes share (NFS at the same path, or s3://…)"
        )


def _look(workspace: Folder, name: str, node: str) -> Any:
    place = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
    return _sees.options(scheduling_strategy=place).remote(workspace, name)


@ray.remote(num_cpus=0)  # type: ignore[untyped-decorator]
def _sees(workspace: Folder, name: str) -> bool:
    return workspace.exists(name)
