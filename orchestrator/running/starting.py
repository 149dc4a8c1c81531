"""A warm start: the weights of a published model, checked, where the trial runs. Without Ray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from memseg.errors import RegistryError, StorageDownError, StorageError
from memseg.prediction.restoring import weights_of
from memseg.storage import Folder
from memseg.versions.layout import MODEL
from orchestrator.planning.trial import Trial
from orchestrator.registry.reading import RegistryReader
from orchestrator.registry.seen import seen_images


@dataclass(frozen=True)
class WarmStart:
    """What a trial starts from."""

    version: str
    state: Mapping[str, torch.Tensor]
    seen: frozenset[str] | None
    """sha256 of the images that the model knows; None where that was not recorded."""

    def to_json(self, held_out: Sequence[str]) -> dict[str, Any]:
        """For the trial's result. ``held_out``: sha256 of its held-out images."""
        seen = self.seen
        return {
            "version": self.version,
            "held_out_seen": None if seen is None else sum(sha in seen for sha in held_out),
            "seen": None if seen is None else sorted(seen),
        }


def load_start(workspace: Folder, trial: Trial) -> WarmStart | None:
    """What the trial's key says that it starts from; None for one that starts afresh.

    Raises StorageError where the version is gone, was changed, or is not the one that was
    planned: the same command again plans with what is there. WeightsError where its file is none.
    """
    wanted, version_id = trial.inputs.start, trial.start_version
    if wanted is None:
        return None
    try:
        if version_id is None:
            raise RegistryError("the plan does not say which version that is")
        version = RegistryReader(workspace.sub("registry")).version(trial.category, version_id)
        found = f"sha256:{version.manifest.files[MODEL].sha256}"
        if found != wanted:
            raise RegistryError(f"its weights are {found[:19]}..., planned were {wanted[:19]}...")
        return WarmStart(version.id, weights_of(version), seen_images(version, workspace))
    except StorageDownError:
        raise
    except (RegistryError, StorageError) as error:
        raise StorageError(
            f"{trial.category}: it cannot start from version {version_id}: {error}. Mend or "
            "promote a version and run the same command again, or set retrain.warm_start false"
        ) from error
