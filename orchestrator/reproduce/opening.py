"""Opens what an experiment needs beside results: images, textures, and networks that were kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memseg.data.product import Product
from memseg.errors import DataError, WeightsError
from memseg.model.network import MemSegNet
from memseg.prediction.restoring import restore_trial
from memseg.training.execution import Execution, make_execution
from orchestrator.ledger.ledger import RESULT, WEIGHTS, Done, Failed
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.experiment import Finished
from orchestrator.reproduce.gathering import NothingToShowError
from orchestrator.running.inputs import NotLoaded, planned_product, textures_or_error
from orchestrator.running.roles import trial_roles
from orchestrator.running.sources import sources_of


@dataclass(frozen=True)
class Opened:
    """A trained network, placed where it computes as it was evaluated."""

    network: MemSegNet
    execution: Execution


def open_network(finished: Finished, trial: Trial, row: str) -> Opened:
    """The network of a finished trial. Evaluates on this machine, in the trial's precision.

    Raises DataError where the trial is not done, WeightsError where its weights were not kept or
    were changed, and what restoring raises.
    """
    named = f"trial {trial.key} ({row}, seed {trial.seed})"
    record = finished.records.get(trial.key)
    if isinstance(record, Failed):
        raise DataError(f"{named} failed: {record.failure.get('message')}")
    if not isinstance(record, Done):
        raise DataError(f"{named} is not done")
    folder = finished.ledger.trial_folder(trial.category, trial.key)
    if not folder.exists(WEIGHTS):
        raise WeightsError(
            f"the weights of {named} were not kept by an earlier sweep: delete {folder.at(RESULT)} "
            "and run the same command again, it trains this trial again and keeps them"
        )
    network = restore_trial(folder).network
    training = trial.method.training
    execution = make_execution(
        finished.job.config.device, training.precision, training.channels_last
    )
    execution.place(network)
    return Opened(network, execution)


def open_product(finished: Finished, trial: Trial) -> Product:
    """The trial's category. Raises StorageError where its images have changed since."""
    return planned_product(sources_of(finished.job.config), trial, trial.method.image.size)


class TextureShelf:
    """The job's textures, decoded once for all categories: there are thousands."""

    def __init__(self, finished: Finished) -> None:
        self._sources = sources_of(finished.job.config)
        self._kept: dict[int, npt.NDArray[np.uint8]] = {}

    def of(self, trial: Trial) -> npt.NDArray[np.uint8]:
        """(T, 3, S, S). Raises the error that keeps them from being loaded."""
        size = trial.method.image.size
        if size not in self._kept:
            found = textures_or_error(self._sources, size)
            if isinstance(found, NotLoaded):
                raise found.error
            self._kept = {size: found.images}
        return self._kept[size]


def normal_test_images(product: Product, least: int = 1) -> npt.NDArray[np.uint8]:
    """(m, 3, S, S), m >= ``least``. Raises NothingToShowError."""
    found = product.test[~product.test_labels]
    if len(found) < least:
        raise NothingToShowError(f"it has {len(found)} normal test images, {least} are needed")
    return np.ascontiguousarray(found)


def of_each_defect(product: Product, most: int) -> list[int]:
    """Indices of the first anomalous test image of each type of defect, in order of their names.

    By name, so that nobody chose what looks well; of the first ``most`` types. Raises
    NothingToShowError where there is none.
    """
    first: dict[str, int] = {}
    for index, defect in enumerate(product.test_defects):
        if product.test_labels[index]:
            first.setdefault(defect, index)
    if not first:
        raise NothingToShowError("it has no anomalous test image")
    return sorted(first.values(), key=lambda i: product.test_names[i])[:most]


def is_done(finished: Finished, trial: Trial) -> bool:
    """Whether it has a result; a trial that failed has none."""
    return isinstance(finished.records.get(trial.key), Done)


def training_images(finished: Finished, trial: Trial, product: Product) -> list[int]:
    """Indices of the images that the trial trains on: as recorded where it is done.

    Before that, with memory.selection "representative", those that a random memory would leave.
    """
    record = finished.records.get(trial.key)
    if not isinstance(record, Done):
        return list(trial_roles(trial, product).training)
    others = {*record.result["memory_samples"], *record.result["held_out"]}
    return [i for i, name in enumerate(product.train_names) if name not in others]
