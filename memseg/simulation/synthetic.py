"""Synthetic validation: regular shapes of low contrast on held-out normal images (section 4.7).

h held-out images, k = h * (1 + anomalies) validation images, S side in pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from memseg.config.method import ForegroundConfig, ValidationConfig
from memseg.errors import EmptyDataError, SettingError
from memseg.simulation.foreground import foreground_masks
from memseg.simulation.randomness import generator
from memseg.simulation.shapes import SHAPES, shape_mask
from memseg.simulation.turned import pixel_of, turned_part

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

LEAST_RADIUS = 2.0
"""In pixels: smaller shapes are blots, whatever they are called."""
LARGEST_ASPECT = 2.0
LEAST_CHANGE = 2.0
"""Mean change of the shape's pixels in grey levels (0..255) below which another colour is drawn."""
COLOURS = 32
"""So many colours are drawn before the farthest one from the image is taken."""


def synthetic_validation(
    images: Image, config: ValidationConfig, seed: int
) -> tuple[Image, Mask, Mask]:
    """The held-out normal images, then ``config.anomalies`` anomalous copies of each.

    ``images``: (h, 3, S, S) uint8. Each copy has one shape of one colour, laid over it with an
    opacity in ``config.contrast``, a radius in ``config.shape_size`` of the side, at a random
    place, angle and aspect ratio; it is unlike anything trained on, and drawn from (seed, the
    image's content, number of the copy). With place "product" its middle and all of it lie on
    the product. Returns images (k, 3, S, S) uint8, masks (k, S, S) bool
    and labels (k,) bool, True for anomalous ones, whose masks are never empty.

    Raises EmptyDataError when no image is given, SettingError for ranges from large to small and
    an opacity that changes no pixel.
    """
    _check(images, config)
    anomalous, masks = [], []
    for image, product in zip(images, _products(images, config)):
        content = _content(image)
        for copy in range(config.anomalies):
            random = generator(seed, "synthetic validation", content, copy)
            changed, mask = with_shape(image, config, random, product)
            anomalous.append(changed)
            masks.append(mask)
    labels = np.arange(len(images) + len(anomalous)) >= len(images)
    nothing = np.zeros((len(images), *images.shape[2:]), dtype=np.bool_)
    return np.concatenate([images, anomalous]), np.concatenate([nothing, masks]), labels


def turned_validation(images: Image, config: ValidationConfig, seed: int) -> tuple[Image, Mask]:
    """``config.turned`` copies of each held-out image with a part turned in its place.

    ``images``: (h, 3, S, S) uint8. Where an image looks the same however its parts are turned,
    the copy has a shape as in ``synthetic_validation``. Returns images (h * turned, 3, S, S)
    uint8 and masks (h * turned, S, S) bool, none empty.
    """
    anomalous = np.empty((len(images), config.turned, *images.shape[1:]), np.uint8)
    masks = np.zeros((len(images), config.turned, *images.shape[2:]), np.bool_)
    products = _products(images, config)
    for i, image in enumerate(images):
        content = _content(image)
        for copy in range(config.turned):
            random = generator(seed, "turned validation", content, copy)
            found = turned_part(image, config.turned_size, random, products[i])
            anomalous[i, copy], masks[i, copy] = found or with_shape(
                image, config, random, products[i]
            )
    together = len(images) * config.turned
    return (
        anomalous.reshape(together, *images.shape[1:]), masks.reshape(together, *images.shape[2:])
    )  # fmt: skip


def _products(images: Image, config: ValidationConfig) -> Sequence[Mask | None]:
    """Where each image's anomalies may lie; None for anywhere."""
    if config.place == "anywhere":
        return [None] * len(images)
    # Not the trial's own foreground: trials are compared on the same validation images. A
    # network that was trained on anomalies of the background finds those best, and no defect
    # lies there.
    return list(foreground_masks(images, ForegroundConfig(mode="auto")).numpy())


def _content(image: Image) -> int:
    return int.from_bytes(hashlib.sha256(image.tobytes()).digest(), "little")


def _check(images: Image, config: ValidationConfig) -> None:
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images must be uint8 (h, 3, S, S), got {images.dtype} {images.shape}")
    if not len(images):
        raise EmptyDataError("synthetic validation needs held-out images, none was given")
    for name in ("contrast", "shape_size"):
        first, last = getattr(config, name)
        if first > last:
            raise SettingError(
                f"validation.{name} must go from small to large, got {[first, last]}"
            )


def with_shape(
    image: Image,
    config: ValidationConfig,
    random: np.random.Generator,
    product: Mask | None,
    shape: str | None = None,
) -> tuple[Image, Mask]:
    """An image (3, S, S) with one shape on it, and the shape's mask (S, S), never empty.

    Opacity and radius are of ``config``; ``product``: where it may lie, None for anywhere;
    ``shape``: its name in ``SHAPES``, drawn where it is None.
    """
    size = image.shape[-1]
    radius = max(LEAST_RADIUS, float(random.uniform(*config.shape_size)) * size)
    aspect = float(LARGEST_ASPECT ** random.uniform(-1, 1))
    # So that the whole shape lies in the image, or, if it is too large, at least its centre.
    margin = min(radius * LARGEST_ASPECT**0.5 + 1, size / 2 - 1)
    x, y = random.uniform(margin, size - 1 - margin, 2)
    drawn = list(SHAPES)[int(random.integers(len(SHAPES)))]
    polygon = SHAPES[shape or drawn]
    angle = float(random.uniform(0, 2 * np.pi))
    if product is not None:
        y, x = pixel_of(product, random)
    mask = shape_mask(polygon, (float(x), float(y)), radius, aspect, angle, size)
    if product is not None:
        mask = mask & product  # its middle is there: never empty
    changed = image.copy()
    changed[:, mask] = _coloured(image[:, mask], config, random)
    return changed, mask


def _coloured(pixels: Image, config: ValidationConfig, random: np.random.Generator) -> Image:
    """Pixels (3, p) under a translucent colour that can be told from what it lies on."""
    opacity = float(random.uniform(*config.contrast))
    for _ in range(COLOURS):
        covered = _covered(pixels, random.uniform(0, 255, 3), opacity)
        if _change(pixels, covered) >= LEAST_CHANGE:
            return covered
    farthest = np.where(pixels.mean(axis=1) < 127.5, 255.0, 0.0)
    covered = _covered(pixels, farthest, opacity)
    if _change(pixels, covered) == 0:
        raise SettingError(
            f"an anomaly of opacity {opacity:.4f} changes no pixel of a validation image: "
            f"raise validation.contrast, which is {list(config.contrast)}"
        )
    return covered


def _covered(pixels: Image, colour: npt.NDArray[np.float64], opacity: float) -> Image:
    mixed = (1 - opacity) * pixels + opacity * colour[:, None]
    return np.rint(mixed).astype(np.uint8)


def _change(pixels: Image, covered: Image) -> float:
    return float(np.abs(pixels.astype(np.int16) - covered).mean())
