"""Figure 7: what the L1 loss does to the edges of anomaly maps. k images, S side in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
UNSURE = (0.1, 0.9)
"""Pixels with a probability between these are neither normal nor anomalous to the network."""
_CONTOUR = "white"


def edges_figure(
    images: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.bool_],
    maps: Mapping[str, npt.NDArray[np.floating]],
    titles: Sequence[str],
    levels: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
) -> bytes:
    """A PNG with a row for each image: input, ground truth, then each network's anomaly map.

    ``images``: (k, 3, S, S) uint8 RGB; ``masks``: (k, S, S); ``maps``: what a network was trained
    with, for example "L1 and focal loss", -> its maps (k, S, S) of the same images; ``levels``:
    for each of them the probability whose contour is drawn, by default ``LEVEL``. Below each map
    stand its overlap with the ground truth and its share of unsure pixels; ``notes``: paragraphs
    at the end. Raises ValueError for shapes that do not fit, DivergedError.
    """
    for found in maps.values():
        check_examples(images, titles, MOST_ROWS, found, masks)
    at = {name: (levels or {}).get(name, LEVEL) for name in maps}
    rows = []
    for index, title in enumerate(titles):
        mask = masks[index]
        panels = [
            Panel(picture_of(images[index]), ((mask, OUTLINE),)),
            Panel(mask_picture(mask)),
        ]
        for name, found in maps.items():
            above = found[index] >= at[name]
            panels.append(
                Panel(
                    coloured(found[index], PROBABILITIES),
                    ((mask, OUTLINE), (above, _CONTOUR)),
                    edge_text(found[index], mask, at[name]),
                )
            )
        rows.append(Row(title, panels))
    columns = ["input", "ground truth", *(f"{n}, contour at {at[n]:.3g}" for n in maps)]
    bars = [Bar(2, 1 + len(maps), PROBABILITIES, COLOUR_MAP, SCORE)]
    note = (
        "Outlines: green the ground truth, white the network's contour. IoU: intersection by union "
        "of what lies within the contour and the ground truth. Unsure: share of the image's pixels "
        f"with a probability between {UNSURE[0]} and {UNSURE[1]}, the width of the edges."
    )
    return panel_sheet(columns, rows, bars, (note, *notes), side=200)


def edge_text(
    anomaly_map: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_], level: float
) -> str:
    """Overlap with the ground truth and share of unsure pixels of one map (S, S), in words."""
    above = anomaly_map >= level
    both, either = int((above & mask).sum()), int((above | mask).sum())
    overlap = f"IoU {both / either:.2f}" if either else "nothing marked"
    unsure = float(((anomaly_map > UNSURE[0]) & (anomaly_map < UNSURE[1])).mean())
    return f"{overlap}, unsure {unsure:.1%}"
