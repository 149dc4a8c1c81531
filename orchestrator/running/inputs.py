"""What trials compute from, loaded once and shared by all trials. Without Ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memseg.data.layouts import LayoutConfig
from memseg.data.loading import load_product
from memseg.data.product import Product
from memseg.data.textures import load_textures
from memseg.errors import MemSegError
from memseg.model.weights import EncoderWeights, load_encoder_weights
from memseg.storage import open_folder


@dataclass(frozen=True)
class Sources:
    """Where inputs come from; small, and the same for all trials of a sweep."""

    root: str
    layout: LayoutConfig
    textures: str | None
    """None: textures drawn by the code."""
    encoder_weights: str


@dataclass(frozen=True)
class SharedInputs:
    """One category's product with the textures and encoder weights that all categories share."""

    product: Product
    textures: npt.NDArray[np.uint8]
    """(T, 3, S, S)."""
    encoder: EncoderWeights


@dataclass(frozen=True)
class Loaded:
    """Each input, or the error that kept it from being loaded: errors travel as data."""

    product: Product | MemSegError
    textures: npt.NDArray[np.uint8] | MemSegError
    encoder: EncoderWeights | MemSegError

    def inputs(self) -> SharedInputs:
        """All inputs. Raises the MemSegError of the first that could not be loaded."""
        for part in (self.product, self.textures, self.encoder):
            if isinstance(part, MemSegError):
                raise part
        return SharedInputs(self.product, self.textures, self.encoder)  # type: ignore[arg-type]


def product_or_error(sources: Sources, category: str, size: int) -> Product | MemSegError:
    """The category decoded at ``size`` pixels."""
    try:
        return load_product(open_folder(sources.root), sources.layout, category, size)
    except MemSegError as error:
        return error


def textures_or_error(sources: Sources, size: int) -> npt.NDArray[np.uint8] | MemSegError:
    """All textures at ``size`` pixels, (T, 3, S, S)."""
    try:
        return load_textures(open_folder(sources.textures) if sources.textures else None, size)
    except MemSegError as error:
        return error


def encoder_or_error(sources: Sources) -> EncoderWeights | MemSegError:
    """The encoder's weights, checked."""
    try:
        return load_encoder_weights(sources.encoder_weights)
    except MemSegError as error:
        return error
