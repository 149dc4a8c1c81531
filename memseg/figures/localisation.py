"""Figure 5: where the network sees a defect, beside where it is. k images, S side in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from memseg.figures.canvas import OUTLINE
from memseg.figures.checks import check_examples
from memseg.figures.heat import COLOUR_MAP, PROBABILITIES, coloured, heat_overlay
from memseg.figures.panels import (
    MOST_ROWS,
    Bar,
    Panel,
    Row,
    mask_picture,
    panel_sheet,
    picture_of,
)

SCORE = "anomaly map: probability of being anomalous, one scale for all"


def localisation_figure(
    images: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.bool_],
    maps: npt.NDArray[np.floating],
    titles: Sequence[str],
    notes: Sequence[str] = (),
) -> bytes:
    """A PNG with a row for each image: input, ground truth, anomaly map, both over the input.

    ``images``: (k, 3, S, S) uint8 RGB; ``masks``: (k, S, S); ``maps``: (k, S, S) of
    ``memseg.evaluation.maps.anomaly_maps``, of one network or of several; ``titles``: for example
    category, defect type, name and score; ``notes``: what a reader must know. The rows may be of
    any categories. Raises ValueError for shapes that do not fit, DivergedError.
    """
    check_examples(images, titles, MOST_ROWS, maps, masks)
    rows = []
    for image, mask, found, title in zip(images, masks, maps, titles):
        over = heat_overlay(image, found, PROBABILITIES)
        panels = [
            Panel(picture_of(image)),
            Panel(mask_picture(mask)),
            Panel(coloured(found, PROBABILITIES)),
            Panel(over, ((mask, OUTLINE),)),
        ]
        rows.append(Row(title, panels))
    columns = ("input", "ground truth", "anomaly map", "overlay; outline: ground truth")
    return panel_sheet(columns, rows, (Bar(2, 3, PROBABILITIES, COLOUR_MAP, SCORE),), notes)
