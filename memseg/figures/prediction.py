"""The picture that goes with one prediction: heat over the product, what is abnormal outlined."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from memseg.figures.heat import PROBABILITIES, heat_overlay

_OUTLINE = (25, 227, 194)
_COMPRESSION = 1
"""Quick: these pictures are many, and looked at once."""


def prediction_overlay(
    image: npt.NDArray[np.uint8],
    anomaly_map: npt.NDArray[np.float32],
    threshold: float,
    width: int,
    height: int,
) -> bytes:
    """A PNG of S pixels on its longer side, in the proportions of the picture.

    ``image``: (3, S, S) uint8 RGB, ``anomaly_map``: (S, S) in [0, 1], ``threshold``: from which
    pixels are outlined; ``width`` and ``height``: of the picture as it is.
    """
    side = image.shape[-1]
    shown = np.ascontiguousarray(heat_overlay(image, anomaly_map, PROBABILITIES))
    above = (anomaly_map >= threshold).astype(np.uint8)
    lines, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, lines, -1, _OUTLINE, 1)
    longest = max(width, height)
    target = tuple(max(1, round(side * one / longest)) for one in (width, height))
    if target != (side, side):
        shown = cv2.resize(shown, target, interpolation=cv2.INTER_AREA)
    encoded: npt.NDArray[np.uint8] = cv2.imencode(
        ".png", shown[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION]
    )[1]
    return encoded.tobytes()
