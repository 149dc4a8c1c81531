"""Where a product is in its image (section 3.1, foreground enhancement).

n images, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch

from memseg.config.method import ForegroundConfig
from memseg.errors import DataError

Mask = npt.NDArray[np.uint8]

BORDER_SHARE = 32
"""Polarity auto looks at a frame of one part in so many of the side."""


def foreground_masks(
    images: npt.NDArray[np.uint8] | torch.Tensor,
    config: ForegroundConfig,
    names: Sequence[str] | None = None,
) -> torch.Tensor:
    """(n, S, S) bool on the CPU, True where anomalies may be simulated.

    ``images``: (n, 3, S, S) uint8, RGB. Mode off: True everywhere. Otherwise the grey image is
    cut at a level, fixed or by Otsu's method, and opened and closed. A mask belongs to its
    image: compute it once. Raises DataError for the first image of which nothing is left, with
    its index and, where ``names`` are given, its name.
    """
    pixels = images.cpu().numpy() if isinstance(images, torch.Tensor) else images
    if pixels.ndim != 4 or pixels.shape[1] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"images must be uint8 (n, 3, S, S), got {pixels.dtype} {pixels.shape}")
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
    width = max(1, bright.shape[0] // BORDER_SHARE)
    inside = np.zeros_like(bright, dtype=np.bool_)
    inside[width:-width, width:-width] = True
    return bool(bright[~inside].mean() <= 0.5)


def _described(config: ForegroundConfig) -> str:
    level = f" {config.threshold}" if config.mode == "threshold" else ""
    return f"foreground.mode {config.mode}{level}, polarity {config.polarity}"
