"""Asks each node of the cluster; proves that each sees the workspace."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import NodeDiedError, TaskUnschedulableError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from memseg.errors import BlindNodeError, MemSegError, StorageError
from memseg.storage import Folder
from orchestrator.running.ray_failures import in_words

ANSWERS_S = 300.0
"""So long a node may take to answer; starting a process there takes seconds."""
MOUNTS_S, LOOKS_S = 600.0, 5.0
"""So long a worker waits for a workspace that its node does not see, looking again and again."""
_GONE = (NodeDiedError, TaskUnschedulableError)


@contextlib.contextmanager
def seen_by_all_nodes(workspace: Folder, run: str) -> Iterator[str | None]:
    """The name of a marker file that is there for as long as the block runs.

    Each node is asked for it now, and each worker asks for it (``check_seen``): nodes come later,
    or come back without their mounts, and would train for hours into a folder of their own. None
    on an object store, which is the same everywhere. Raises StorageError naming how many nodes do
    not see it.
    """
    if not workspace.is_local:
        yield None
        return
    name = f"ray/seen-{run}"
    workspace.write(name, b"")
    try:
        _check_on_nodes(workspace, name)
        yield name
    finally:
        with contextlib.suppress(StorageError):  # an empty file, in a folder that may be gone
            workspace.delete(name)


def check_seen(workspace: Folder, marker: str | None) -> None:
    """Raises BlindNodeError where this node does not see the marker within some minutes.

    A node that starts may be mounting. And one that failed at once would be free at once, and would
    get, and fail, all trials that wait.
    """
    if marker is None:
        return
    waited = 0.0
    while not workspace.exists(marker):
        if waited >= MOUNTS_S:
            raise BlindNodeError(
                f"a node does not see the workspace {workspace.path}: it must be on storage that "
                "all nodes share (NFS at the same path, mounted also on nodes that come later, or "
                "s3://…)"
            )
        time.sleep(LOOKS_S)
        waited += LOOKS_S


def _check_on_nodes(workspace: Folder, name: str) -> None:
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    if len(nodes) < 2:
        return
    blind = sum(not seen for seen in ask_each(nodes, _sees, workspace, name))
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
