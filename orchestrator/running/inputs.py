"""What trials compute from, loaded once and shared by all trials. Without Ray.

Images are decoded in processes of their own, which need no torch: only the encoder's weights do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from memseg.data.loading import load_product
from memseg.data.product import Product
from memseg.data.textures import load_textures, texture_identity
from memseg.errors import MemSegError, StorageError
from memseg.storage import open_folder
from orchestrator.planning.trial import Inputs, Trial
from orchestrator.running.sources import Sources

if TYPE_CHECKING:
    from memseg.model.weights import EncoderWeights


@dataclass(frozen=True)
class Textures:
    """All textures at one size."""

    images: npt.NDArray[np.uint8]
    """(T, 3, S, S)."""
    identity: str
    """By content, see memseg.data.textures.texture_identity."""


@dataclass(frozen=True)
class SharedInputs:
    """One category's product with the textures and encoder weights that all categories share."""

    product: Product
    textures: Textures
    encoder: EncoderWeights

    def check(self, planned: Inputs, category: str) -> None:
        """Raises StorageError where a content is not the one that the trial's key was made of.

        A sweep runs for days; an image that is added meanwhile would end in a result, and in a
        model, that say they were made without it.
        """
        pairs = (
            ("training images", self.product.train_fingerprint, planned.train_fingerprint),
            ("test images", self.product.test_fingerprint, planned.test_fingerprint),
            ("textures", self.textures.identity, planned.textures),
            ("encoder weights", self.encoder.identity, planned.encoder_weights),
        )
        changed = [name for name, found, wanted in pairs if found != wanted]
        if changed:
            raise StorageError(
                f"{category}: {' and '.join(changed)} have changed since the sweep was planned: "
                "run the same command again, it plans with what is there now. If it says so "
                "again, a file was replaced by one of the same size and time: delete the folder "
                "cache of the workspace"
            )


@dataclass(frozen=True)
class Loaded:
    """Each input, or the error that kept it from being loaded: errors travel as data."""

    product: Product | MemSegError
    textures: Textures | MemSegError
    encoder: EncoderWeights | MemSegError

    def inputs(self) -> SharedInputs:
        """All inputs. Raises the MemSegError of the first that could not be loaded."""
        product, textures, encoder = self.product, self.textures, self.encoder
        if isinstance(product, MemSegError):
            raise product
        if isinstance(textures, MemSegError):
            raise textures
        if isinstance(encoder, MemSegError):
            raise encoder
        return SharedInputs(product, textures, encoder)


def product_or_error(sources: Sources, category: str, size: int) -> Product | MemSegError:
    """The category decoded at ``size`` pixels."""
    try:
        return load_product(open_folder(sources.root), sources.layout, category, size)
    except MemSegError as error:
        return error


def planned_product(sources: Sources, trial: Trial, size: int) -> Product:
    """The trial's category, with the images that its key was made of.

    Raises StorageError where they have changed, and what kept them from being loaded.
    """
    product = product_or_error(sources, trial.category, size)
    if isinstance(product, MemSegError):
        raise product
    found = (product.train_fingerprint, product.test_fingerprint)
    if found != (trial.inputs.train_fingerprint, trial.inputs.test_fingerprint):
        raise StorageError(
            f"{trial.category}: images have changed since it was trained: run the same command "
            "again, it works with what is there now"
        )
    return product


def textures_or_error(sources: Sources, size: int) -> Textures | MemSegError:
    """All textures at ``size`` pixels."""
    try:
        folder = open_folder(sources.textures) if sources.textures else None
        return Textures(load_textures(folder, size), texture_identity(folder))
    except MemSegError as error:
        return error


def encoder_or_error(sources: Sources) -> EncoderWeights | MemSegError:
    """The encoder's weights, checked."""
    from memseg.model.weights import load_encoder_weights

    try:
        return load_encoder_weights(sources.encoder_weights)
    except MemSegError as error:
        return error
