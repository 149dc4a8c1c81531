"""A contact sheet: each image, where its defect is, and where the network saw one.

k images, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from memseg.figures.canvas import INK, Canvas, fitting, outline
from memseg.figures.checks import check_examples
from memseg.figures.heat import COLOUR_MAP, Scale, heat_overlay, shared_scale

MOST_IMAGES = 60
"""More would make a picture that nothing opens."""

_PANEL = 200  # side of a panel, all sizes in pixels of the sheet
_GAP = 6
_TITLE = 26
_MARGIN = 20
_HEADER = 22
_BAR = 66
_TITLE_POINTS = 9.5


def overlay_sheet(
    images: npt.NDArray[np.uint8],
    maps: npt.NDArray[np.floating],
    masks: npt.NDArray[np.bool_] | None,
    titles: Sequence[str],
    scale: Scale | None = None,
) -> bytes:
    """A PNG with a row of panels for each image: image, ground truth outlined, anomaly map.

    ``images``: (k, 3, S, S) uint8 RGB; ``maps``: (k, S, S) finite scores; ``masks``:
    (k, S, S), None leaves the ground truth away; ``titles``: one per image, for example its
    name and score. ``scale``: scores of the darkest and the brightest colour, the same for
    all images; by default the range of all maps. Equal input gives equal bytes.

    Raises ValueError for shapes that do not fit, no image or more than ``MOST_IMAGES``,
    DivergedError for maps that are not finite.
    """
    check_examples(images, titles, MOST_IMAGES, maps, masks)
    if scale is not None and not scale[0] < scale[1]:
        raise ValueError(f"the scale must go from a lower to a higher score, got {scale}")
    shared = scale or shared_scale(maps)
    names = ["image", "anomaly map"] if masks is None else ["image", "ground truth", "anomaly map"]
    sheet = _Sheet(len(images), len(names))
    for index, title in enumerate(titles):
        panels = sheet.panels(index, title, names)
        panels[0].imshow(images[index].transpose(1, 2, 0))
        panels[-1].imshow(heat_overlay(images[index], maps[index], shared))
        if masks is not None:
            panels[1].imshow(images[index].transpose(1, 2, 0))
            _ground_truth(panels[1], masks[index])
            if masks[index].any():
                outline(panels[2], masks[index], 0.8)
    sheet.colour_bar(shared, outlined=masks is not None)
    return sheet.png()


class _Sheet:
    """Places the rows of an overlay sheet."""

    def __init__(self, count: int, panels: int) -> None:
        self._columns = 1 if count <= 3 else 2
        self._cell = (panels * (_PANEL + _GAP) + _MARGIN, _TITLE + _PANEL + _GAP * 2)
        rows = -(-count // self._columns)
        width = self._columns * self._cell[0] + _MARGIN
        self._canvas = Canvas(width, _MARGIN + _HEADER + rows * self._cell[1] + _BAR)

    def panels(self, index: int, title: str, names: Sequence[str]) -> list[Axes]:
        row, column = divmod(index, self._columns)
        left = _MARGIN + column * self._cell[0]
        top = _MARGIN + _HEADER + row * self._cell[1]
        width = len(names) * (_PANEL + _GAP)
        title = fitting(title, width, _TITLE_POINTS)
        self._canvas.text(left, top + _TITLE - 8, title, INK, _TITLE_POINTS)
        made = []
        for position, name in enumerate(names):
            x = left + position * (_PANEL + _GAP)
            if row == 0:
                self._canvas.text(x, _MARGIN + 8, name)
            axes = self._canvas.axes(x, top + _TITLE, _PANEL, _PANEL)
            axes.set_axis_off()
            made.append(axes)
        return made

    def colour_bar(self, scale: Scale, *, outlined: bool) -> None:
        text = "anomaly score, one scale for all"
        if outlined:
            text += "; outline: ground truth"
        top = self._canvas.height - _BAR + 10
        self._canvas.colour_bar(_MARGIN, top, 2 * _PANEL, scale, COLOUR_MAP, text)

    def png(self) -> bytes:
        return self._canvas.png()


def _ground_truth(axes: Axes, mask: npt.NDArray[np.bool_]) -> None:
    if mask.any():
        outline(axes, mask, 1.6)
        return
    axes.text(
        0.035, 0.04, "no defect marked", transform=axes.transAxes, fontsize=8, color="white",
        bbox={"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 2},
    )  # fmt: skip
