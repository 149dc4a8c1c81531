"""The weights of the best of a run's judged steps, kept until the run has ended."""

from __future__ import annotations

from collections.abc import Callable, Collection

from memseg.config.method import TrainingConfig
from memseg.errors import StorageError
from memseg.storage import Folder
from orchestrator.running.scoring import Score


def judged_steps(training: TrainingConfig) -> frozenset[int]:
    """After which steps a run is judged; the last is always among them. Pure."""
    last = training.max_steps
    return frozenset([*range(training.judged_every, last, training.judged_every), last])


class BestStep:
    """A Judge: remembers each judged step's score, and the weights of the best.

    In a folder, so that a run that goes on from a checkpoint knows the steps before it. Each step
    has a note of its own: of two processes at the same trial none forgets what the other judged.
    Weights are written before the note that makes them the best: a killed process leaves the old
    best or the new.
    """

    def __init__(
        self, folder: Folder, steps: Collection[int], score: Score, pack: Callable[[], bytes]
    ) -> None:
        """``score`` and ``pack``: of the network as it is, its value and its weights."""
        self._folder, self.steps = folder, steps
        self._score, self._pack = score, pack

    def look(self, step: int) -> None:
        """Judges the network after ``step``, once; of equal steps the later one is the best."""
        before = self.scores()
        if step in before:
            return
        scores = {**before, step: self._score()}
        is_best = _best(scores) == step
        if is_best:
            self._folder.write(_weights(step), self._pack())
        self._folder.write_json(_note(step), {"score": scores[step]})
        if is_best and before:
            self._folder.delete(_weights(_best(before)))

    def scores(self) -> dict[int, float]:
        """Judged step -> score."""
        notes = {_note(step): step for step in self.steps}
        return {
            notes[file.path]: float(self._folder.read_json(file.path)["score"])
            for file in self._folder.files()
            if file.path in notes
        }

    def best(self) -> tuple[int, bytes]:
        """The best of the judged steps, and its weights.

        Raises StorageError, also where not all of them are known: another process has finished
        the trial, or judges it too, and what is left here is not the whole run.
        """
        scores = self.scores()
        missing = set(self.steps) - scores.keys()
        if missing:
            raise StorageError(
                f"{self._folder.path} has no score of step {min(missing)}: another process works "
                "on the same trial, or has finished it"
            )
        step = _best(scores)
        return step, self._folder.read(_weights(step))


def _best(scores: dict[int, float]) -> int:
    return max(scores, key=lambda step: (scores[step], step))


def _note(step: int) -> str:
    return f"judged-{step:08d}.json"


def _weights(step: int) -> str:
    return f"best-{step:08d}.safetensors"
