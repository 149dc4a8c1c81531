"""A contact sheet: each image, where its defect is, and where the network saw one.

k images, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from memseg.figures.canvas import INK, Canvas, fitting
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
) -> bytes:
    """A PNG with a row of panels for each image: image, ground truth outlined, anomaly map.

    ``images``: (k, 3, S, S) uint8 RGB; ``maps``: (k, S, S) finite scores; ``masks``:
    (k, S, S), None leaves the ground truth away; ``titles``: one per image, for example its
    name and score. One scale of colours for all images, the range of all maps. Equal input gives
    equal bytes.

    Raises ValueError for shapes that do not fit, no image or more than ``MOST_IMAGES``,
    DivergedError for maps that are not finite.
    """
    check_examples(images, titles, MOST_IMAGES, maps, masks)
    shared = shared_scale(maps)
    names = ["image", "anomaly map"] if masks is None else ["image", "ground truth", "anomaly map"]
    sheet = _Sheet(len(images), len(names))
    for index, title in enumerate(titles):
        image, mask = images[index].transpose(1, 2, 0), None if masks is None else masks[index]
        heat = heat_overlay(images[index], maps[index], shared)
        sheet.row(index, title, names)
        for panel, picture in enumerate([image] * (len(names) - 1) + [heat]):
            sheet.picture(index, panel, picture)
        if mask is not None and mask.any():
            sheet.outline(index, 1, mask, 1.6)
            sheet.outline(index, 2, mask, 0.8)
        elif mask is not None:
            sheet.label(index, 1, "no defect marked")
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

    def row(self, index: int, title: str, names: Sequence[str]) -> None:
        left, top = self._place(index, 0)
        width = len(names) * (_PANEL + _GAP)
        title = fitting(title, width, _TITLE_POINTS)
        self._canvas.text(left, top - 8, title, INK, _TITLE_POINTS)
        if index < self._columns:
            for panel, name in enumerate(names):
                self._canvas.text(self._place(index, panel)[0], _MARGIN + 8, name)

    def picture(self, index: int, panel: int, picture: npt.NDArray[np.uint8]) -> None:
        self._canvas.picture(*self._place(index, panel), _PANEL, picture)

    def outline(self, index: int, panel: int, mask: npt.NDArray[np.bool_], width: float) -> None:
        self._canvas.outline(*self._place(index, panel), _PANEL, mask, width)

    def label(self, index: int, panel: int, text: str) -> None:
        left, top = self._place(index, panel)
        self._canvas.label(left + 7, top + _PANEL - 8, text)

    def _place(self, index: int, panel: int) -> tuple[int, int]:
        """Top left of a panel."""
        row, column = divmod(index, self._columns)
        left = _MARGIN + column * self._cell[0] + panel * (_PANEL + _GAP)
        return left, _MARGIN + _HEADER + row * self._cell[1] + _TITLE

    def colour_bar(self, scale: Scale, *, outlined: bool) -> None:
        text = "anomaly score, one scale for all"
        if outlined:
            text += "; outline: ground truth"
        top = self._canvas.height - _BAR + 10
        self._canvas.colour_bar(_MARGIN, top, 2 * _PANEL, scale, COLOUR_MAP, text)

    def png(self) -> bytes:
        return self._canvas.png()
