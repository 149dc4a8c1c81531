"""A part of the image turned in its place: validation anomalies that look normal within.

Small shapes of a foreign colour (section 4.7) say nothing about a network's view of parts that
are misplaced. Training never turns a part in its place, so this is no copy of what it saw.
S side in pixels.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import torch

from memseg.simulation.region import LEAST_SHARE, ROUNDNESS, Region, changed

ATTEMPTS = 32
_ANGLE = (45.0, 315.0)
"""Degrees: less than 45 either way would leave most of the part where it was."""
_ASPECT = 1.5


def turned_part(
    image: npt.NDArray[np.uint8],
    size: tuple[float, float],
    random: np.random.Generator,
    product: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]] | None:
    """The image with a part turned about its own centre, and where that changed it.

    ``image``: (3, S, S) uint8; ``size``: range of the part's radius as a share of the side;
    ``product``: (S, S) bool, where the part's centre lies; None for anywhere.
    Returns (3, S, S) uint8 and a mask (S, S) bool of at least LEAST_SHARE of the pixels, or None
    where no part that was tried looks other when turned.
    """
    side = image.shape[-1]
    for _ in range(ATTEMPTS):
        region, angle = _draw(random, size, product)
        source = _turned(image, region.centre, angle)
        inside = region.mask(side, torch.device("cpu")).numpy()
        pair = torch.from_numpy(np.stack([image, source])).float() / 255
        mask = inside & changed(pair[0], pair[1]).numpy()
        if mask.sum() >= LEAST_SHARE * mask.size:
            return np.where(mask, source, image), mask
    return None


def pixel_of(mask: npt.NDArray[np.bool_], random: np.random.Generator) -> tuple[int, int]:
    """Row and column of one of the True pixels of (S, S), each as likely as any other."""
    places = np.flatnonzero(mask)
    row, column = divmod(int(places[random.integers(len(places))]), mask.shape[1])
    return row, column


def _draw(
    random: np.random.Generator, size: tuple[float, float], product: npt.NDArray[np.bool_] | None
) -> tuple[Region, float]:
    radius = float(random.uniform(*size))
    stretch = float(_ASPECT ** random.uniform(-0.5, 0.5))
    y, x = random.uniform(0, 1, 2)
    if product is not None:
        y, x = (np.array(pixel_of(product, random)) + 0.5) / product.shape[0]
    region = Region(
        centre=(float(y), float(x)),
        radii=(radius * stretch, radius / stretch),
        angle=float(random.uniform(0, math.pi)),
        roundness=float(random.uniform(*ROUNDNESS)),
    )
    return region, float(random.uniform(*_ANGLE))


def _turned(
    image: npt.NDArray[np.uint8], centre: tuple[float, float], degrees: float
) -> npt.NDArray[np.uint8]:
    side = image.shape[-1]
    middle = (centre[1] * side - 0.5, centre[0] * side - 0.5)
    turn = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    flat = np.ascontiguousarray(image.transpose(1, 2, 0))
    found = cv2.warpAffine(
        flat, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.ascontiguousarray(found.transpose(2, 0, 1)).astype(np.uint8, copy=False)
