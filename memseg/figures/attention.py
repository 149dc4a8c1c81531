"""Figure 9: from difference information to spatial attention maps and the anomaly map.

k images, S side in pixels; a level's maps are (k, H, W).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from memseg.figures.checks import check_examples
from memseg.figures.heat import COLOUR_MAP, PROBABILITIES, coloured
from memseg.figures.panels import (
    MOST_ROWS,
    Bar,
    Panel,
    Row,
    mask_picture,
    panel_sheet,
    picture_of,
)

if TYPE_CHECKING:
    from memseg.evaluation.attention import AttentionSteps

_SIDE = 150
_LEVELS = ("DI1", "DI2", "DI3", "M3", "M2", "M1")


def attention_figure(
    images: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.bool_],
    steps: AttentionSteps,
    titles: Sequence[str],
    notes: Sequence[str] = (),
) -> bytes:
    """A PNG with a row for each image: input, DI1-3, M3, M2, M1, anomaly map, ground truth.

    ``images``: (k, 3, S, S) uint8 RGB; ``masks``: (k, S, S); ``steps``: of
    ``memseg.evaluation.attention.attention_steps`` on them; ``notes``: paragraphs at the end. A
    colour means the same in a column, from 0 to its largest value in these images; below each
    panel stands its own. Raises ValueError for shapes that do not fit, DivergedError.
    """
    check_examples(images, titles, MOST_ROWS, steps.maps, masks)
    levels = [*steps.differences, *reversed(steps.attention)]
    tops = [_end(level) for level in levels]
    rows = []
    for index, title in enumerate(titles):
        panels = [Panel(picture_of(images[index]))]
        for level, top in zip(levels, tops):
            caption = f"max {float(level[index].max()):.3g}"
            panels.append(Panel(coloured(level[index], (0.0, top)), caption=caption))
        found = steps.maps[index]
        panels.append(
            Panel(coloured(found, PROBABILITIES), caption=f"max {float(found.max()):.3g}")
        )
        panels.append(Panel(mask_picture(masks[index])))
        rows.append(Row(title, panels))
    said = (*_notes(steps), *notes)
    return panel_sheet(_columns(levels), rows, _bars(tops), said, _SIDE)


def _end(level: npt.NDArray[np.float32]) -> float:
    """Of the colour scale from 0 to the largest value; all may be 0."""
    largest = float(level.max())
    return largest if largest > 0 else 1.0


def _columns(levels: Sequence[npt.NDArray[np.float32]]) -> list[str]:
    sizes = [f"{level.shape[1]} x {level.shape[2]}" for level in levels]
    names = [f"{name}, {size}" for name, size in zip(_LEVELS, sizes)]
    return ["input", *names, "anomaly map", "ground truth"]


def _bars(tops: Sequence[float]) -> list[Bar]:
    bars = [
        Bar(i, i, (0.0, top), COLOUR_MAP, f"{name}, no unit, same in this column")
        for i, (name, top) in enumerate(zip(_LEVELS, tops), start=1)
    ]
    return [*bars, Bar(7, 7, PROBABILITIES, COLOUR_MAP, "probability of being anomalous")]


def _notes(steps: AttentionSteps) -> list[str]:
    each = "One colour scale in each column, from 0 to its largest value in these images."
    used = (
        "" if steps.used
        else " This network does not use M1 to M3 (model.spatial_attention is off)."
    )  # fmt: skip
    return [
        "DI1 to DI3: difference to the nearest memory sample at levels 1 to 3, mean over channels "
        f"({steps.settings}). M3, M2, M1: spatial attention maps of {steps.made}.{used} {each}"
    ]
