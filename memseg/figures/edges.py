"""Figure 7: what the L1 loss does to the edges of anomaly maps. k images, S side in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from memseg.figures.canvas import OUTLINE
from memseg.figures.checks import check_examples
from memseg.figures.heat import COLOUR_MAP, PROBABILITIES, coloured
from memseg.figures.localisation import SCORE
from memseg.figures.panels import (
    MOST_ROWS,
    Bar,
    Panel,
    Row,
    mask_picture,
    panel_sheet,
    picture_of,
)

LEVEL = 0.5
_RISE = (0.1, 0.9)
"""An edge lies between these shares of the way from the map's level outside to that inside."""
_FOUND = 0.1
"""Least difference of these two levels for there to be an edge."""
_BAND = 1 / 16
"""How far from the outline an edge is looked for, by the image's side."""
_CONTOUR = "white"


def edges_figure(
    images: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.bool_],
    maps: Mapping[str, npt.NDArray[np.floating]],
    titles: Sequence[str],
    notes: Sequence[str] = (),
) -> bytes:
    """A PNG with a row for each image: input, ground truth, then each network's anomaly map.

    ``images``: (k, 3, S, S) uint8 RGB; ``masks``: (k, S, S); ``maps``: what a network was trained
    with, for example "L1 and focal loss", -> its maps (k, S, S) of the same images. The contour is
    at ``LEVEL``; below each map stand its overlap with the ground truth and the width of its edge;
    ``notes``: paragraphs at the end. Raises ValueError for shapes that do not fit, DivergedError.
    """
    for found in maps.values():
        check_examples(images, titles, MOST_ROWS, found, masks)
    rows = []
    for index, title in enumerate(titles):
        mask = masks[index]
        panels = [
            Panel(picture_of(images[index]), ((mask, OUTLINE),)),
            Panel(mask_picture(mask)),
        ]
        for found in maps.values():
            above = found[index] >= LEVEL
            panels.append(
                Panel(
                    coloured(found[index], PROBABILITIES),
                    ((mask, OUTLINE), (above, _CONTOUR)),
                    edge_text(found[index], mask, LEVEL),
                )
            )
        rows.append(Row(title, panels))
    columns = ["input", "ground truth", *(f"{n}, contour at {LEVEL:.3g}" for n in maps)]
    bars = [Bar(2, 1 + len(maps), PROBABILITIES, COLOUR_MAP, SCORE)]
    note = (
        "Outlines: green the ground truth, white the network's contour, at a probability that is "
        "tuned for none of the networks. IoU: intersection by union of what lies within the "
        "contour and the ground truth. Edge: its mean width in pixels, where the map goes from 10 "
        "to 90 % of the way from its median outside of the ground truth to that inside, near the "
        "outline."
    )
    return panel_sheet(columns, rows, bars, (note, *notes), side=200)


def edge_text(
    anomaly_map: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_], level: float
) -> str:
    """Overlap with the ground truth and width of the edge of one map (S, S), in words."""
    above = anomaly_map >= level
    both, either = int((above & mask).sum()), int((above | mask).sum())
    overlap = f"IoU {both / either:.2f}" if either else "nothing marked"
    if not mask.any() or mask.all():
        return overlap
    width = edge_width(anomaly_map, mask)
    return f"{overlap}, {'no edge there' if width is None else f'edge {width:.1f} px'}"


def edge_width(anomaly_map: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_]) -> float | None:
    """Pixels in which a map (S, S) rises near the outline of a mask, by the outline's length.

    Levels are the map's own, so that neither its calibration nor a threshold counts. None where
    it is hardly higher inside than outside: there is no edge to measure.
    """
    outside, inside = (float(np.median(anomaly_map[side])) for side in (~mask, mask))
    if inside - outside < _FOUND:
        return None
    risen = (anomaly_map - outside) / (inside - outside)
    near = _grown(mask, _BAND) & _grown(~mask, _BAND)
    rising = (risen > _RISE[0]) & (risen < _RISE[1]) & near
    outline = mask & _grown(~mask, 0)
    return int(rising.sum()) / int(outline.sum())


def _grown(mask: npt.NDArray[np.bool_], share: float) -> npt.NDArray[np.bool_]:
    """With all pixels within this share of the side, or next to it; beyond the image is nothing."""
    radius = max(round(share * len(mask)), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    grown: npt.NDArray[np.bool_] = cv2.dilate(mask.astype(np.uint8), kernel) > 0
    return grown
