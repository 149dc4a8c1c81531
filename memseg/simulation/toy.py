"""The toy dataset: regular shapes of one colour on normal test images (section 4.7, figure 10).

m normal images, k toy images, S side in pixels. The shapes are those of synthetic validation,
which are smaller and nearly transparent; these are opaque. The paper gives no ranges: radius,
colour, place, angle and aspect ratio are drawn as below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memseg.config.method import ValidationConfig
from memseg.errors import EmptyDataError
from memseg.simulation.randomness import generator
from memseg.simulation.shapes import SHAPES
from memseg.simulation.synthetic import with_shape

RADIUS = (0.05, 0.2)
"""Range of a shape's radius as a share of the image's side."""

_DRAWN = ValidationConfig(contrast=(1.0, 1.0), shape_size=RADIUS, place="anywhere")


@dataclass(frozen=True)
class ToySet:
    """Anomalous images of the toy dataset."""

    images: npt.NDArray[np.uint8]
    """(k, 3, S, S) RGB; pixels outside the masks are those of the normal image."""
    masks: npt.NDArray[np.bool_]
    """(k, S, S), True on the shape; none is empty."""
    shapes: tuple[str, ...]
    """Name of each image's shape, a key of ``SHAPES``."""


def toy_set(images: npt.NDArray[np.uint8], seed: int) -> ToySet:
    """A toy image of each normal image, k = m.

    ``images``: (m, 3, S, S) uint8 RGB, normal *test* images. Shapes go round in a drawn order: of
    six images in a row each has another shape. Equal arguments give equal bits. Raises
    EmptyDataError where there is no image, ValueError for another type or shape.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images must be uint8 (m, 3, S, S), got {images.dtype} {images.shape}")
    if not len(images):
        raise EmptyDataError("the toy set is drawn on normal test images, there is none")
    shapes = _shapes(len(images), seed)
    drawn = [
        with_shape(image, _DRAWN, generator(seed, "toy set", place), None, shape)
        for place, (image, shape) in enumerate(zip(images, shapes))
    ]
    return ToySet(
        images=np.stack([image for image, _ in drawn]),
        masks=np.stack([mask for _, mask in drawn]),
        shapes=tuple(shapes),
    )


def _shapes(count: int, seed: int) -> Sequence[str]:
    names = list(SHAPES)
    rounds = -(-count // len(names))
    orders = [generator(seed, "toy shapes", r).permutation(len(names)) for r in range(rounds)]
    return [names[i] for i in np.concatenate(orders)][:count]
