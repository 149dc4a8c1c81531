"""What runs in a Ray Train worker: the same attempt as inline, reporting through Ray Train.

A driver and a controller import this file too, so what is heavy is imported by the worker alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray
import ray.train

from memseg.storage import Folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.planning.trial import from_json


def train_worker(config: Mapping[str, Any]) -> None:
    """One attempt at one trial; its result or failure is in the ledger afterwards.

    Of several workers each runs this; Ray Train has put them into one process group.
    """
    from memseg.training.workers import current_workers
    from orchestrator.running.attempt import attempt
    from orchestrator.running.inputs import Loaded

    references = config["references"]

    def load() -> Loaded:
        return Loaded(
            product=ray.get(references["product"]),
            textures=ray.get(references["textures"]),
            encoder=ray.get(references["encoder"]),
        )

    workspace: Folder = config["workspace"]
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


class _TrainReporter:
    """A Reporter over ray.train.report. ``step`` is Tune's time: it does not restart."""

    def __init__(self) -> None:
        self._step = 0

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        self._step = step
        ray.train.report({"step": step, **values})

    def event(self, message: str) -> None:
        ray.train.report({"step": self._step, "note": message})
