"""A sheet of panels in rows and columns, with headings, captions, colour bars and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memseg.figures.canvas import INK, LINE, SMALL, Canvas, fitting, wrapped

MOST_ROWS = 40
"""More would make a picture that nothing opens."""

SIDE = 168
"""Of a panel, in pixels of the sheet."""
_GAP, _MARGIN = 8, 20
_TITLE_HEIGHT, _TITLE_POINTS = 24, 9.5
_BAR_HEIGHT = 40
_EMPTY = "#f0f0f3"


@dataclass(frozen=True)
class Panel:
    """One picture of a sheet."""

    picture: npt.NDArray[np.uint8]
    """(H, W, 3) RGB, shown as a square; a smaller one is shown with its own pixels."""
    outlines: tuple[tuple[npt.NDArray[np.bool_], str], ...] = ()
    """Masks (H, W) that are outlined, each with its colour."""
    caption: str = ""
    """A line below the panel; what does not fit leaves its middle out."""


@dataclass(frozen=True)
class Row:
    """A row of a sheet."""

    title: str
    """Above its panels, for example an image's name and score."""
    panels: Sequence[Panel | str]
    """One for each column; text stands in place of a picture that there is not."""


@dataclass(frozen=True)
class Bar:
    """A colour bar below some columns, which says their scale."""

    first: int
    last: int
    """The columns that it stands below."""
    scale: tuple[float, float]
    colours: str
    """Name of matplotlib's colour map."""
    text: str


def panel_sheet(
    columns: Sequence[str],
    rows: Sequence[Row],
    bars: Sequence[Bar] = (),
    notes: Sequence[str] = (),
    side: int = SIDE,
) -> bytes:
    """A PNG. Equal input gives equal bytes.

    ``columns``: headings, wrapped to their panels' width; ``bars``: below the rows; ``notes``:
    paragraphs at the end. Raises ValueError for no row, more than ``MOST_ROWS``, and rows that do
    not have a panel for each column.
    """
    if not 1 <= len(rows) <= MOST_ROWS:
        raise ValueError(f"a sheet has from 1 to {MOST_ROWS} rows, got {len(rows)}")
    for row in rows:
        if len(row.panels) != len(columns):
            raise ValueError(f"{len(columns)} columns need as many panels, got {len(row.panels)}")
    width = 2 * _MARGIN + len(columns) * (side + _GAP) - _GAP
    headings = [wrapped(heading, side, SMALL) for heading in columns]
    top = _MARGIN + LINE * max(map(len, headings))
    captions = any(p.caption for row in rows for p in row.panels if isinstance(p, Panel))
    step = _TITLE_HEIGHT + side + _GAP + LINE * captions
    texts = [wrapped(bar.text, _span(bar, side) - _GAP, SMALL) for bar in bars]
    lines = [line for note in notes for line in wrapped(note, width - 2 * _MARGIN, SMALL)]
    bars_height = _BAR_HEIGHT + LINE * max(map(len, texts)) + _GAP if bars else 0
    end = top + step * len(rows) + bars_height
    canvas = Canvas(width, end + LINE * len(lines) + _MARGIN)
    for column, heading in enumerate(headings):
        canvas.lines(_left(column, side), _MARGIN, heading, INK)
    for number, row in enumerate(rows):
        _draw_row(canvas, row, top + step * number, side)
    for bar, text in zip(bars, texts):
        _draw_bar(canvas, bar, text, top + step * len(rows) + _GAP, side)
    canvas.lines(_MARGIN, end + LINE, lines, INK)
    return canvas.png()


def picture_of(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(3, H, W) to (H, W, 3)."""
    return np.ascontiguousarray(image.transpose(1, 2, 0))


def mask_picture(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """(H, W) to (H, W, 3): white where it is True, black elsewhere."""
    return np.repeat(mask[..., None].astype(np.uint8) * np.uint8(255), 3, axis=2)


def _left(column: int, side: int) -> int:
    return _MARGIN + column * (side + _GAP)


def _span(bar: Bar, side: int) -> int:
    return (bar.last - bar.first + 1) * (side + _GAP) - _GAP


def _draw_row(canvas: Canvas, row: Row, top: int, side: int) -> None:
    title = fitting(row.title, canvas.width - 2 * _MARGIN, _TITLE_POINTS)
    canvas.text(_MARGIN, top + _TITLE_HEIGHT - 7, title, INK, _TITLE_POINTS)
    for column, panel in enumerate(row.panels):
        left = _left(column, side)
        place = (left, top + _TITLE_HEIGHT, side)
        if isinstance(panel, str):
            canvas.area(*place, _EMPTY)
            below = top + _TITLE_HEIGHT + 2 * LINE
            canvas.lines(left + _GAP, below, wrapped(panel, side - 2 * _GAP, SMALL))
            continue
        own = "nearest" if max(panel.picture.shape) <= side else "antialiased"
        canvas.picture(*place, panel.picture, own)
        for mask, colour in panel.outlines:
            if mask.any():
                canvas.outline(*place, mask, 1.5, colour)
        if panel.caption:
            below = top + _TITLE_HEIGHT + side + LINE - 2
            canvas.text(left, below, fitting(panel.caption, side, SMALL))


def _draw_bar(canvas: Canvas, bar: Bar, text: Sequence[str], top: int, side: int) -> None:
    left, width = _left(bar.first, side), _span(bar, side)
    ticks = 5 if width > 2 * side else 3
    canvas.colour_bar(left, top, width, bar.scale, bar.colours, "", ticks)
    canvas.lines(left, top + _BAR_HEIGHT + 8, text)
