"""What trials compute from, loaded once and shared by all trials. Without Ray.

Images are decoded in processes of their own, which need no torch: only the encoder's weights do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from memseg.config.encoder import encoder_identity
from memseg.data.fingerprints import (
    category_files,
    hash_files,
    test_fingerprint,
    train_fingerprint,
)
from memseg.data.layouts import list_category
from memseg.data.loading import load_product
from memseg.data.product import Product
from memseg.data.textures import load_textures, texture_identity
from memseg.errors import MemSegError, StorageError
from memseg.storage import Folder, open_folder
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
class NotLoaded:
    """The error that kept an input from being loaded: errors travel as data."""

    error: MemSegError
    found: tuple[str, ...] | None
    """What is there, by content, as ``Inputs`` has it; None where that cannot be told either."""

    def said_of(self, what: str, planned: tuple[str, ...]) -> MemSegError:
        """The error where it is of the content that was planned: then it comes again.

        Else a StorageError: a disk that is not mounted any more, or a file that is being copied,
        says nothing about the trial.
        """
        if self.found == planned or isinstance(self.error, StorageError):
            return self.error
        return StorageError(
            f"{what} cannot be used and are not what they were when the sweep was planned: is "
            "the disk mounted, is a file being copied? The same command again works with what is "
            f"there then ({self.error})"
        )


@dataclass(frozen=True)
class Loaded:
    """Each input, or why it could not be loaded."""

    product: Product | NotLoaded
    textures: Textures | NotLoaded
    encoder: EncoderWeights | NotLoaded

    def inputs(self, planned: Inputs, category: str) -> SharedInputs:
        """All inputs. Raises the MemSegError of the first that could not be loaded."""
        product, textures, encoder = self.product, self.textures, self.encoder
        if isinstance(product, NotLoaded):
            raise product.said_of(f"the images of {category}", _images_of(planned))
        if isinstance(textures, NotLoaded):
            raise textures.said_of("the textures", (planned.textures,))
        if isinstance(encoder, NotLoaded):
            raise encoder.said_of("the encoder's weights", (planned.encoder_weights,))
        return SharedInputs(product, textures, encoder)


def _images_of(planned: Inputs) -> tuple[str, str]:
    return planned.train_fingerprint, planned.test_fingerprint


def _not_loaded(error: MemSegError, found: Callable[[], tuple[str, ...]]) -> NotLoaded:
    try:
        return NotLoaded(error, found())
    except MemSegError:
        return NotLoaded(error, None)


def product_or_error(sources: Sources, category: str, size: int) -> Product | NotLoaded:
    """The category decoded at ``size`` pixels."""

    def found() -> tuple[str, str]:
        root = open_folder(sources.root)
        files = list_category(root, sources.layout, category)
        hashes = hash_files(root, category_files(files))
        return train_fingerprint(files, hashes), test_fingerprint(files, hashes)

    try:
        return load_product(open_folder(sources.root), sources.layout, category, size)
    except MemSegError as error:
        return _not_loaded(error, found)


def planned_product(sources: Sources, trial: Trial, size: int) -> Product:
    """The trial's category, with the images that its key was made of.

    Raises StorageError where they have changed, and what kept them from being loaded.
    """
    product = product_or_error(sources, trial.category, size)
    if isinstance(product, NotLoaded):
        raise product.said_of(f"the images of {trial.category}", _images_of(trial.inputs))
    if (product.train_fingerprint, product.test_fingerprint) != _images_of(trial.inputs):
        raise StorageError(
            f"{trial.category}: images have changed since it was trained: run the same command "
            "again, it works with what is there now"
        )
    return product


def textures_or_error(sources: Sources, size: int) -> Textures | NotLoaded:
    """All textures at ``size`` pixels."""

    def folder() -> Folder | None:
        return open_folder(sources.textures) if sources.textures else None

    try:
        return Textures(load_textures(folder(), size), texture_identity(folder()))
    except MemSegError as error:
        return _not_loaded(error, lambda: (texture_identity(folder()),))


def encoder_or_error(sources: Sources) -> EncoderWeights | NotLoaded:
    """The encoder's weights, checked."""
    from memseg.model.weights import load_encoder_weights

    try:
        return load_encoder_weights(sources.encoder_weights)
    except MemSegError as error:
        return _not_loaded(error, lambda: (encoder_identity(sources.encoder_weights),))
