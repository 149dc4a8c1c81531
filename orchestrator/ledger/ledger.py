"""The ledger: ``trials/<category>/<key>/`` of a workspace, the only truth about what is done.

``result.json`` is written last and is the commit mark: a trial without one is not done,
whatever else lies in its folder. ``failure.json`` says why the last attempt did not get there,
``pruned.json`` that successive halving stopped it on the way.
"""

from __future__ import annotations

import os
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from memseg.data.categories import check_category_name
from memseg.errors import StorageDownError, StorageError
from memseg.storage import Folder
from orchestrator.planning.trial import Trial

TRIALS = "trials"
RESULT, FAILURE, CHECKPOINTS = "result.json", "failure.json", "checkpoints"
PRUNED = "pruned.json"
WEIGHTS, EXAMPLES, FOREGROUND = "model.safetensors", "examples.png", "foreground.png"
PICTURES = (EXAMPLES, FOREGROUND)
LOSSES = "losses.csv"
WITH_MODEL = (*PICTURES, LOSSES)
"""What goes with the weights: into the registry, and away."""

_KEY = re.compile(r"[0-9a-z]{4,64}")
_PROBE_BYTES = 1 << 28
"""More than a trial writes at once: the file that did not fit has made room by going again."""


@dataclass(frozen=True, slots=True)
class Done:
    """A committed trial."""

    result: Mapping[str, Any]
    """What ``result.json`` holds."""


@dataclass(frozen=True)
class Failed:
    """A trial whose last attempt failed; it may be tried again (orchestrator.ledger.pending)."""

    failure: Mapping[str, Any]
    """What ``failure.json`` holds: kind, message, traceback, attempts."""


@dataclass(frozen=True)
class Pruned:
    """A trial that successive halving stopped before its last step; it has no metrics."""

    pruned: Mapping[str, Any]
    """What ``pruned.json`` holds: step, score, among."""


Record = Done | Failed | Pruned


@dataclass(frozen=True)
class Ledger:
    """Reads and writes what became of trials. Holds no state of its own."""

    workspace: Folder

    def trial_folder(self, category: str, key: str) -> Folder:
        """Where one trial keeps everything; it need not exist.

        Raises DataError for a name that no category can have, StorageError for a bad key.
        """
        if not _KEY.fullmatch(key):
            raise StorageError(f"{key!r} is not the key of a trial")
        return self.workspace.sub(f"{TRIALS}/{check_category_name(category)}/{key}")

    def record(self, category: str, key: str) -> Record | None:
        """What became of a trial; None where nothing is known, also while it runs.

        Raises StorageError for a record that cannot be read: a half-written result is not
        taken for one, nor for none.
        """
        folder = self.trial_folder(category, key)
        result = _read(folder, RESULT, category, key)
        if result is not None:
            return Done(result)
        try:
            failure = _read(folder, FAILURE, category, key)
        except StorageError:
            # Another process may have committed and removed the failure in between.
            result = _read(folder, RESULT, category, key)
            if result is None:
                raise
            return Done(result)
        if failure is not None:
            return Failed(failure)
        pruned = _read(folder, PRUNED, category, key)
        return None if pruned is None else Pruned(pruned)

    def trained(self, trials: Iterable[Trial]) -> dict[str, str]:
        """Key of a trial -> key of a finished one with the same training and its weights kept.

        Such a trial is only to be evaluated: its test images are new, its training is not. Another
        trial's record that cannot be read costs a training, no more. Raises StorageError.
        """
        by_category: dict[str, list[Trial]] = defaultdict(list)
        for trial in trials:
            by_category[trial.category].append(trial)
        found: dict[str, str] = {}
        for category, wanted in by_category.items():
            folder = self.workspace.sub(f"{TRIALS}/{check_category_name(category)}")
            kept = [
                f.path.split("/")[0]
                for f in folder.files(recursive=True)
                if f.path.split("/")[1:] == [WEIGHTS]
            ]
            donors = dict(filter(None, (self._donor(category, key) for key in kept)))
            for trial in wanted:
                donor = donors.get(trial.training_key)
                if donor is not None and donor != trial.key:
                    found[trial.key] = donor
        return found

    def _donor(self, category: str, key: str) -> tuple[str, str] | None:
        try:
            record = self.record(category, key)
        except StorageDownError:
            raise
        except StorageError:
            return None
        if not isinstance(record, Done) or "training_key" not in record.result:
            return None
        return str(record.result["training_key"]), key

    def commit(self, result: Mapping[str, Any]) -> None:
        """Makes a trial done: writes its result, then removes its failure and checkpoints.

        Committing again keeps the first result as it is. Raises StorageError, also for a result
        without its keys or with a number that is not finite.
        """
        category, key = _place(result, "result")
        folder = self.trial_folder(category, key)
        earlier = _read(folder, RESULT, category, key)
        # The weights were written before this call. Should they differ in their last bits
        # (another machine's), the result has to be the one that belongs to them.
        if earlier is None or earlier.get("weights_sha256") != result.get("weights_sha256"):
            _write(folder, RESULT, result)
        folder.delete(FAILURE)
        folder.delete(PRUNED)
        folder.delete_folder(CHECKPOINTS)
        folder.delete_unfinished()

    def fail(self, failure: Mapping[str, Any]) -> None:
        """Records why an attempt failed; checkpoints stay. Never over a result.

        Raises StorageError.
        """
        category, key = _place(failure, "failure")
        folder = self.trial_folder(category, key)
        if not folder.exists(RESULT):
            _write(folder, FAILURE, failure)

    def prune(self, pruned: Mapping[str, Any]) -> None:
        """Records that a trial was stopped early; its checkpoint stays until the sweep ends.

        Never over a result. Raises StorageError.
        """
        category, key = _place(pruned, "pruned trial")
        folder = self.trial_folder(category, key)
        if not folder.exists(RESULT):
            _write(folder, PRUNED, pruned)
            folder.delete(FAILURE)

    def clear_failure(self, category: str, key: str) -> None:
        """Forgets a failure, because the trial is tried again."""
        self.trial_folder(category, key).delete(FAILURE)

    def check_writable(self) -> None:
        """Writes and deletes a file. Raises StorageDownError where the store is gone or full.

        Before going on after a storage error: else each further trial would train first and
        then meet the same error. An object store is never full, and gets a small one.
        """
        name = f".writable-{secrets.token_hex(4)}"
        # Not zeros: a file system that compresses has room for any number of them.
        data = os.urandom(1 << 20) * (_PROBE_BYTES >> 20 if self.workspace.is_local else 1)
        self.workspace.delete_unfinished()  # of such a check that was killed
        try:
            self.workspace.write(name, data)
        finally:
            self.workspace.delete(name)

    def drop_weights(self, category: str, key: str) -> None:
        """Deletes a trial's weights with pictures and losses; its result stays."""
        folder = self.trial_folder(category, key)
        for name in (WEIGHTS, *WITH_MODEL):
            folder.delete(name)

    def drop_checkpoints(self, category: str, key: str) -> None:
        """Deletes what a trial that was stopped early would go on from; it begins again then."""
        self.trial_folder(category, key).delete_folder(CHECKPOINTS)


def _read(folder: Folder, name: str, category: str, key: str) -> dict[str, Any] | None:
    # Asked before it is read: a record that another process commits between two questions would
    # look like a file without one.
    if not folder.exists(name):
        return None
    value = folder.read_json(name)
    if value is None and not folder.exists(name):
        return None  # deleted since
    where = folder.at(name)
    if not isinstance(value, dict):
        raise StorageError(f"{where} does not hold a record: delete it and run the sweep again")
    if (value.get("category"), value.get("key")) != (category, key):
        raise StorageError(
            f"{where} is the record of another trial ({value.get('category')!r}, "
            f"{value.get('key')!r}): it was copied here; delete it and run the sweep again"
        )
    return value


def _place(record: Mapping[str, Any], what: str) -> tuple[str, str]:
    category, key = record.get("category"), record.get("key")
    if not isinstance(category, str) or not isinstance(key, str):
        raise StorageError(
            f"a {what} without its category and key cannot be recorded: {category!r}, {key!r}"
        )
    return category, key


def _write(folder: Folder, name: str, record: Mapping[str, Any]) -> None:
    try:
        folder.write_json(name, dict(record))
    except ValueError as error:  # json: NaN or infinity
        raise StorageError(f"cannot write {folder.at(name)}: {error}") from error
