"""Anomaly maps as colours over their images.

k images, S side in pixels.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps

COLOUR_MAP = "inferno"
"""Perceptually uniform, and in order of brightness also for the colour-blind and in print."""

_FAINTEST, _STRONGEST = 0.3, 0.9  # opacity at both ends: the product stays visible everywhere

Scale = tuple[float, float]

PROBABILITIES: Scale = (0.0, 1.0)
"""Anomaly maps are probabilities: a colour means the same in every picture."""


def shared_scale(maps: npt.NDArray[np.floating]) -> Scale:
    """The range of all maps, so that a colour means the same score in each of them."""
    low, high = float(maps.min()), float(maps.max())
    return (low, high) if high > low else (low, low + 1.0)


def coloured(
    values: npt.NDArray[np.floating], scale: Scale, colours: str = COLOUR_MAP
) -> npt.NDArray[np.uint8]:
    """Values (H, W) as colours: (H, W, 3) RGB. Outside of ``scale`` its ends' colours.

    ``colours``: name of matplotlib's colour map.
    """
    return np.asarray(np.rint(_heat(_share(values, scale), colours)), np.uint8)


def heat_overlay(
    image: npt.NDArray[np.uint8], anomaly_map: npt.NDArray[np.floating], scale: Scale
) -> npt.NDArray[np.uint8]:
    """One map as heat over its image in grey: (S, S, 3) RGB.

    ``image``: (3, S, S) RGB; ``anomaly_map``: (S, S); scores outside of ``scale`` take the
    colour of its end.
    """
    share = _share(anomaly_map, scale)[..., None]
    grey = cv2.cvtColor(np.ascontiguousarray(image.transpose(1, 2, 0)), cv2.COLOR_RGB2GRAY)
    heat = _heat(share[..., 0], COLOUR_MAP)
    opacity = _FAINTEST + (_STRONGEST - _FAINTEST) * share
    mixed = opacity * heat + (1 - opacity) * grey[..., None]
    return np.asarray(np.rint(mixed), np.uint8)


def _share(values: npt.NDArray[np.floating], scale: Scale) -> npt.NDArray[np.float64]:
    low, high = scale
    return np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)


def _heat(share: npt.NDArray[np.float64], colours: str) -> npt.NDArray[np.float64]:
    """The colour map at each of ``share`` in [0, 1], times 255: what matplotlib gives, quicker."""
    table = _table(colours)
    return table[np.minimum((share * len(table)).astype(np.intp), len(table) - 1)]


@cache
def _table(colours: str) -> npt.NDArray[np.float64]:
    colour_map = colormaps[colours]
    table: npt.NDArray[np.float64] = 255 * colour_map(np.arange(colour_map.N))[:, :3]
    table.flags.writeable = False
    return table
