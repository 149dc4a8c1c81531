"""A picture to check foreground masks by, before a product that nobody tuned is trusted."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

MOST_IMAGES = 12
_COLUMNS, _GAP = 4, 6
_OUTLINE = (25, 227, 194)
_DIMMED = 0.35


def foreground_sheet(images: npt.NDArray[np.uint8], masks: npt.NDArray[np.bool_]) -> bytes:
    """A PNG: each image with its foreground outlined and the rest dimmed.

    ``images``: (k, 3, S, S) uint8 RGB; ``masks``: (k, S, S), True where anomalies may be
    simulated; k >= 1, the first ``MOST_IMAGES`` are shown.
    """
    panels = [foreground_panel(image, mask) for image, mask in zip(images[:MOST_IMAGES], masks)]
    columns = min(_COLUMNS, len(panels))
    rows, side = -(-len(panels) // columns), images.shape[-1]
    step = side + _GAP
    sheet = np.full((rows * step + _GAP, columns * step + _GAP, 3), 255, np.uint8)
    for index, panel in enumerate(panels):
        top, left = (_GAP + step * place for place in divmod(index, columns))
        sheet[top : top + side, left : left + side] = panel
    encoded: npt.NDArray[np.uint8] = cv2.imencode(".png", sheet[:, :, ::-1])[1]
    return encoded.tobytes()


def foreground_panel(
    image: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """An image (3, S, S) with its foreground (S, S) outlined and the rest dimmed: (S, S, 3)."""
    picture = image.transpose(1, 2, 0).astype(np.float32)
    picture[~mask] *= _DIMMED
    shown = np.ascontiguousarray(picture.astype(np.uint8))
    lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, lines, -1, _OUTLINE, 1)
    return shown
