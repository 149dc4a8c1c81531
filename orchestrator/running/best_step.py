"""The weights of the best of a run's judged steps, kept until the run has ended."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from memseg.config.method import TrainingConfig
from memseg.errors import StorageError
from memseg.storage import Folder
from orchestrator.running.scoring import Score

_JUDGED = "judged.json"


def judged_steps(training: TrainingConfig) -> frozenset[int]:
    """After which steps a run is judged; the last is always among them. Pure."""
    last = training.max_steps
    return frozenset([*range(training.judged_every, last, training.judged_every), last])


class BestStep:
    """A Judge: remembers each judged step's score, and the weights of the best.

    In a folder, so that a run that goes on from a checkpoint knows the steps before it. Weights
    are written before the note that names them: a killed process leaves the old best or the new.
    """

    def __init__(
        self, folder: Folder, steps: Collection[int], score: Score, pack: Callable[[], bytes]
    ) -> None:
        """``score`` and ``pack``: of the network as it is, its value and its weights."""
        self._folder, self.steps = folder, steps
        self._score, self._pack = score, pack

    def look(self, step: int) -> None:
        """Judges the network after ``step``, once; of equal steps the later one is the best."""
        scores = self.scores()
        if step in scores:
            return
        before = _best(scores) if scores else None
        scores[step] = self._score()
        if _best(scores) == step:
            self._folder.write(_weights(step), self._pack())
        self._folder.write_json(_JUDGED, {"scores": {str(s): scores[s] for s in sorted(scores)}})
        if before is not None and _best(scores) == step:
            self._folder.delete(_weights(before))

    def scores(self) -> dict[int, float]:
        """Judged step -> score."""
        if not self._folder.exists(_JUDGED):
            return {}
        found: dict[str, Any] = self._folder.read_json(_JUDGED)["scores"]
        return {int(step): float(score) for step, score in found.items()}

    def best(self) -> tuple[int, bytes]:
        """The best of the judged steps, and its weights.

        Raises StorageError, also where not all of them are known: another process has finished
        the trial, or judges it too, and what is left here is not the whole run.
        """
        scores = self.scores()
        missing = set(self.steps) - scores.keys()
        if missing:
            raise StorageError(
                f"{self._folder.at(_JUDGED)} knows no score of step {min(missing)}: another "
                "process works on the same trial, or has finished it"
            )
        step = _best(scores)
        return step, self._folder.read(_weights(step))


def _best(scores: dict[int, float]) -> int:
    return max(scores, key=lambda step: (scores[step], step))


def _weights(step: int) -> str:
    return f"best-{step:08d}.safetensors"
