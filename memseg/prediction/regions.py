"""Abnormal regions of an anomaly map, in pixels of the picture as it is. Pure.

S side of the map, H W of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

CONNECTIVITY = 8
"""As AUPRO's regions."""
MOST_REGIONS = 100
"""So many are described, the largest first; all of them are counted."""


@dataclass(frozen=True)
class Region:
    """A connected part of the map at or above the pixel threshold, diagonals included."""

    left: int
    """With top, width and height the smallest box of whole pixels around it."""
    top: int
    width: int
    height: int
    area: int
    """Pixels of the picture, rounded; at least 1."""
    score: float
    """Its largest pixel score."""


@dataclass(frozen=True)
class Regions:
    """All that is abnormal in one picture."""

    area: int
    """Pixels of the picture, rounded."""
    count: int
    largest: tuple[Region, ...]
    """The ``MOST_REGIONS`` largest, by area, then from the top left."""


def find_regions(
    anomaly_map: npt.NDArray[np.float32], threshold: float, width: int, height: int
) -> Regions:
    """Where ``anomaly_map`` (S, S) is at least ``threshold``; the picture is W = width, H = height.

    The map is cut at its own resolution, the one that pixel thresholds are chosen at, and what is
    found is scaled to the picture: a pixel of the map stands for W/S by H/S of the picture's, so
    an area is that of the map times W * H / S².
    """
    side = anomaly_map.shape[-1]
    above = anomaly_map >= threshold
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        above.astype(np.uint8), connectivity=CONNECTIVITY
    )
    pixels = width * height / side**2
    peaks = np.zeros(count, np.float32)
    np.maximum.at(peaks, labels[above], anomaly_map[above])
    found = []
    for label in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[label])
        left, top = x * width // side, y * height // side
        found.append(
            Region(
                left=left,
                top=top,
                width=-(-(x + w) * width // side) - left,
                height=-(-(y + h) * height // side) - top,
                area=max(1, round(area * pixels)),
                score=float(peaks[label]),
            )
        )
    found.sort(key=lambda region: (-region.area, region.top, region.left))
    return Regions(
        area=round(int(above.sum()) * pixels),
        count=len(found),
        largest=tuple(found[:MOST_REGIONS]),
    )
