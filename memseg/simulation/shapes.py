"""The regular shapes of the toy dataset (section 4.7), as polygons."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

Polygon = npt.NDArray[np.float64]
"""(n, 2): x and y of the corners, y downwards, within the unit circle."""

SUBPIXEL_BITS = 8


def _circle() -> Polygon:
    turn = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def _star() -> Polygon:
    turn = np.arange(10) * math.pi / 5 - math.pi / 2
    reach = np.where(np.arange(10) % 2 == 0, 1.0, 0.42)
    return np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)


def _heart() -> Polygon:
    turn = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    x = 16 * np.sin(turn) ** 3
    y = 13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)
    return np.stack([x, -y - 2], axis=1) / 17.9


def _triangle() -> Polygon:
    turn = np.arange(3) * 2 * math.pi / 3 - math.pi / 2
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


SHAPES: Mapping[str, Polygon] = {
    "rectangle": np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / math.sqrt(2),
    "triangle": _triangle(),
    "lightning": np.array(
        [[0.2, -0.95], [-0.55, 0.15], [-0.08, 0.15], [-0.3, 0.95], [0.55, -0.25], [0.05, -0.25]]
    ),
    "star": _star(),
    "heart": _heart(),
    "circle": _circle(),
}


def shape_mask(
    polygon: Polygon, centre: tuple[float, float], radius: float, aspect: float, angle: float,
    size: int,
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """(S, S) bool: a shape of ``radius`` pixels about ``centre`` (x, y, in pixels).

    ``aspect``: width by height before it is turned by ``angle`` (radians), the area staying what
    it is. Pixels on the outline belong to it, so that no shape within the image is empty.
    """
    stretch = np.array([math.sqrt(aspect), 1 / math.sqrt(aspect)])
    cosine, sine = math.cos(angle), math.sin(angle)
    turned = (polygon * stretch * radius) @ np.array([[cosine, sine], [-sine, cosine]])
    corners = np.rint((turned + np.array(centre)) * 2**SUBPIXEL_BITS).astype(np.int32)
    canvas = np.zeros((size, size), dtype=np.uint8)
    cv2.fillPoly(canvas, [corners], color=1, shift=SUBPIXEL_BITS)
    return canvas > 0
