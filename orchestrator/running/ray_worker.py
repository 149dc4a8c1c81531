"""What runs in a Ray Train worker: the same attempt as inline, reporting through Ray Train.

A driver and a controller import this file too, so what is heavy is imported by the worker alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray
import ray.train
from ray.exceptions import LocalRayletDiedError, WorkerCrashedError

from memseg.errors import StorageError
from memseg.storage import Folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import from_json
from orchestrator.running.ray_nodes import check_seen


def train_worker(config: Mapping[str, Any]) -> None:
    """One attempt at one trial; its result or failure is in the ledger afterwards.

    Of several workers each runs this; Ray Train has put them into one process group. Raises
    BlindNodeError where this node does not see the workspace.
    """
    workspace: Folder = config["workspace"]
    check_seen(workspace, config["marker"])

    from memseg.training.workers import current_workers
    from orchestrator.running.attempt import attempt
    from orchestrator.running.inputs import Loaded

    references = config["references"]

    def load() -> Loaded:
        return Loaded(
            product=loaded(references["product"], "images"),
            textures=loaded(references["textures"], "textures"),
            encoder=loaded(references["encoder"], "encoder weights"),
        )

    attempt(
        from_json(config["trial"]),
        load,
        config["placement"],
        Ledger(workspace),
        _TrainReporter(),
        config["earlier"],
        config["donor"],
        config["rivals"],
        current_workers(),
    )


def loaded(reference: Any, what: str) -> Any:
    """What the loader's task made. Raises StorageError where its process died, each time.

    The reference holds that for good: only after a failure of this kind is it loaded anew.
    """
    try:
        return ray.get(reference)
    except (WorkerCrashedError, LocalRayletDiedError) as error:
        raise StorageError(
            f"the {what} could not be loaded: the process that loads them was killed several "
            "times; see the memory of the nodes"
        ) from error


class _TrainReporter:
    """A Reporter over ray.train.report. ``step`` is Tune's time: it does not restart."""

    def __init__(self) -> None:
        self._step = 0

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        self._step = step
        ray.train.report({"step": step, **values})

    def event(self, message: str) -> None:
        ray.train.report({"step": self._step, "note": message})
