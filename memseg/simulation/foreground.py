"""Where a product is in its image (section 3.1, foreground enhancement).

Mode auto decides for a category as a whole (``resolved_foreground``): a mask that is right for
most images of a product and wrong for the others would be a pattern of its own.

n images, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import torch

from memseg.config.method import ForegroundConfig
from memseg.errors import DataError

Mask = npt.NDArray[np.uint8]

BORDER_SHARE = 32
"""Polarity and mode auto look at a frame of one part in so many of the side."""

PLAIN_FRAME = 0.05
"""Mode auto: at most this share of the frame is product where the background is plain. Measured:
screw 0 in nine of ten images and 0.04 in the worst, transistor 0.13 in the best."""

PLAIN_IMAGES = 0.9
"""Mode auto: in at least this share of the images the background is plain."""


def foreground_masks(
    images: npt.NDArray[np.uint8] | torch.Tensor,
    config: ForegroundConfig,
    names: Sequence[str] | None = None,
) -> torch.Tensor:
    """(n, S, S) bool on the CPU, True where anomalies may be simulated.

    ``images``: (n, 3, S, S) uint8, RGB. Mode off: True everywhere. Otherwise the grey image is
    cut at a level, fixed or by Otsu's method, and opened and closed. A mask belongs to its
    image: compute it once; of mode auto it belongs to its category, see ``resolved_foreground``.
    Raises DataError for the first image of which nothing is left, with its index and, where
    ``names`` are given, its name.
    """
    pixels = _checked(images)
    config = resolved_foreground(pixels, config)
    masks = np.ones((pixels.shape[0], *pixels.shape[2:]), dtype=np.bool_)
    if config.mode == "off":
        return torch.from_numpy(masks)
    for index, image in enumerate(pixels):
        masks[index] = foreground_mask(image, config) > 0
        if not masks[index].any():
            name = f" ({names[index]})" if names else ""
            raise DataError(
                f"the foreground mask of image {index}{name} is empty with {_described(config)}: "
                "set foreground.mode off, or another threshold or polarity, for this category"
            )
    return torch.from_numpy(masks)


def resolved_foreground(
    images: npt.NDArray[np.uint8] | torch.Tensor, config: ForegroundConfig
) -> ForegroundConfig:
    """``config`` with mode auto decided by the category's ``images``; another mode is kept.

    ``images``: (n, 3, S, S) uint8, RGB. Otsu where each image has a product and the frame is
    background (``PLAIN_FRAME``, ``PLAIN_IMAGES``), else off: a texture fills its image, and a
    product on a patterned ground cannot be cut out by one grey level. Not in the paper, which
    sets the foreground by hand.
    """
    if config.mode != "auto":
        return config
    otsu = replace(config, mode="otsu")
    masks = [foreground_mask(image, otsu) for image in _checked(images)]
    plain = [mask[_frame(mask.shape[0])].mean() <= PLAIN_FRAME for mask in masks]
    clear = bool(masks) and all(mask.any() for mask in masks) and np.mean(plain) >= PLAIN_IMAGES
    return otsu if clear else replace(config, mode="off")


def foreground_mask(image: npt.NDArray[np.uint8], config: ForegroundConfig) -> Mask:
    """(S, S) in {0, 1} of one (3, S, S) image, for the modes threshold and otsu; may be empty."""
    grey = cv2.cvtColor(np.ascontiguousarray(image.transpose(1, 2, 0)), cv2.COLOR_RGB2GRAY)
    level = config.threshold if config.mode == "threshold" else otsu_level(grey)
    bright = (grey > level).astype(np.uint8)
    product = bright if _product_is_bright(bright, config) else 1 - bright
    return closed(opened(product, config.opening), config.closing)


def otsu_level(grey: npt.NDArray[np.uint8]) -> int:
    """The grey level that best parts dark (up to it) from bright (above it) pixels (Otsu)."""
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return int(level)


def opened(mask: Mask, side: int) -> Mask:
    """Without specks that an ellipse of ``side`` pixels does not fit into; never adds a pixel."""
    kernel, anchor, mirrored, opposite = _element(side)
    worn = cv2.erode(mask, kernel, anchor=anchor)
    return np.asarray(cv2.dilate(worn, mirrored, anchor=opposite), dtype=np.uint8)


def closed(mask: Mask, side: int) -> Mask:
    """Without holes that an ellipse of ``side`` pixels does not fit into; never takes a pixel."""
    kernel, anchor, mirrored, opposite = _element(side)
    grown = cv2.dilate(mask, kernel, anchor=anchor)
    return np.asarray(cv2.erode(grown, mirrored, anchor=opposite), dtype=np.uint8)


def _element(side: int) -> tuple[Mask, tuple[int, int], Mask, tuple[int, int]]:
    """An ellipse with its anchor, and both mirrored: an even side would shift the mask."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    near, far = side // 2, side - 1 - side // 2
    return kernel, (near, near), cv2.flip(kernel, -1), (far, far)


def _product_is_bright(bright: Mask, config: ForegroundConfig) -> bool:
    if config.polarity != "auto":
        return config.polarity == "bright"
    return bool(bright[_frame(bright.shape[0])].mean() <= 0.5)


def _frame(side: int) -> npt.NDArray[np.bool_]:
    """(S, S), True along the border."""
    width = max(1, side // BORDER_SHARE)
    frame = np.ones((side, side), dtype=np.bool_)
    frame[width:-width, width:-width] = False
    return frame


def _checked(images: npt.NDArray[np.uint8] | torch.Tensor) -> npt.NDArray[np.uint8]:
    pixels = images.cpu().numpy() if isinstance(images, torch.Tensor) else images
    if pixels.ndim != 4 or pixels.shape[1] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"images must be uint8 (n, 3, S, S), got {pixels.dtype} {pixels.shape}")
    return pixels


def _described(config: ForegroundConfig) -> str:
    level = f" {config.threshold}" if config.mode == "threshold" else ""
    return f"foreground.mode {config.mode}{level}, polarity {config.polarity}"
