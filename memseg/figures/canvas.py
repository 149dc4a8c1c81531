"""What sheets are drawn on: pictures, outlines, text, axes and colour bars, placed by pixels.

S side of an image in pixels. matplotlib's own layout is not used: it moves panels by the length
of their text.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patches import Rectangle

INK, FAINT = "#1b1b1f", "#6b6b75"
OUTLINE = "#19e3c2"
"""Of the ground truth: not a colour of the map, nor of most products."""
SMALL = 8.5
"""Points of text that is not a title."""
LINE = 15
"""From line to line of small text, in pixels."""
_TICK_POINTS, _TICK_GAP = 8, 6
_DPI = 100
_MOST_CHARACTERS = 300


class Canvas:
    """A white sheet of ``width`` by ``height`` pixels; places are from its top left."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")

    @cached_property
    def _sheet(self) -> Axes:
        """The whole sheet in pixels, for all pictures: axes for each took most of the time."""
        axes = self.axes(0, 0, self.width, self.height)
        axes.set_axis_off()
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        axes.set_autoscale_on(False)
        return axes

    def picture(
        self, x: int, y: int, side: int, picture: npt.NDArray[np.uint8],
        interpolation: str = "antialiased",
    ) -> None:  # fmt: skip
        """A picture (H, W, 3) as a square."""
        extent = (x, x + side, y + side, y)
        self._sheet.imshow(picture, interpolation=interpolation, aspect="auto", extent=extent)

    def outline(
        self, x: int, y: int, side: int, mask: npt.NDArray[np.bool_], width: float,
        colour: str = OUTLINE,
    ) -> None:  # fmt: skip
        """The outline of a picture's mask (H, W), ``width`` points, with a thin dark edge.

        One that runs along the picture's edge is drawn on it.
        """
        # a border of False closes outlines there
        padded = np.pad(mask.astype(np.float64), 1)
        down, across = (side * (np.arange(n) - 0.5) / (n - 2) for n in padded.shape)
        edge = self._sheet.contour(
            x + across, y + down, padded, levels=[0.5], colors=["black"], linewidths=[width + 1.4]
        )
        line = PathCollection(
            edge.get_paths(), facecolors="none", edgecolors=colour, linewidths=width,
            zorder=edge.get_zorder(),
        )  # fmt: skip
        self._sheet.add_collection(line, autolim=False)

    def area(self, x: int, y: int, side: int, colour: str) -> None:
        """A square of one colour."""
        self._sheet.add_patch(Rectangle((x, y), side, side, facecolor=colour, linewidth=0))

    def label(self, x: int, y: int, text: str) -> None:
        """Small white text on a dark ground, to be read on any picture."""
        box = {"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 2}
        self._sheet.text(x, y, text, fontsize=8, color="white", bbox=box)

    def axes(self, x: int, y: int, width: int, height: int) -> Axes:
        """Axes of so many pixels."""
        bottom = self.height - y - height
        share = (x / self.width, bottom / self.height, width / self.width, height / self.height)
        return self._figure.add_axes(share)

    def text(self, x: int, y: int, text: str, colour: str = FAINT, size: float = SMALL) -> None:
        """A line of text whose baseline starts at the place; it is not cut, see ``fitting``."""
        self._figure.text(
            x / self.width, 1 - y / self.height, text, color=colour, fontsize=size,
            verticalalignment="baseline", parse_math=False,
        )  # fmt: skip

    def lines(self, x: int, y: int, lines: Sequence[str], colour: str = FAINT) -> None:
        """Lines of small text below each other, the first at the place."""
        for number, line in enumerate(lines):
            self.text(x, y + LINE * number, line, colour)

    def colour_bar(
        self, x: int, y: int, width: int, scale: tuple[float, float], colours: str, text: str,
        ticks: int = 5,
    ) -> None:  # fmt: skip
        """A bar 10 pixels high with ``ticks`` numbers below it and ``text`` below these.

        It takes 50 pixels of height in all, and has fewer numbers where they would touch.
        ``colours``: name of matplotlib's colour map.
        """
        axes = self.axes(x, y, width, 10)
        mapped = ScalarMappable(Normalize(*scale), colours)
        bar = self._figure.colorbar(mapped, cax=axes, orientation="horizontal")
        bar.outline.set_visible(False)
        places, labels = _ticks(scale, ticks, width)
        bar.set_ticks(places, labels=labels)
        ends = bar.ax.get_xticklabels()
        ends[0].set_horizontalalignment("left")
        ends[-1].set_horizontalalignment("right")
        bar.ax.tick_params(labelsize=_TICK_POINTS, colors=FAINT, length=3)
        if text:
            self.text(x, y + 46, text)

    def png(self) -> bytes:
        """The sheet as a PNG; equal sheets are equal bytes."""
        FigureCanvasAgg(self._figure)
        target = io.BytesIO()
        # without the version of the library, equal sheets are equal bytes
        self._figure.savefig(target, format="png", dpi=_DPI, metadata={"Software": None})
        return target.getvalue()


def _ticks(scale: tuple[float, float], ticks: int, width: int) -> tuple[list[float], list[str]]:
    """Places and their numbers, at most ``ticks`` of them, on a bar of ``width`` pixels."""
    while True:
        places = np.linspace(*scale, ticks)  # both ends are among them: they say the scale
        labels = _tick_labels(scale, places)
        # The ends' numbers lie inside the bar, the others' in the middle of their places.
        taken = [_width(text, _TICK_POINTS) for text in labels]
        halves = [taken[0], *(w / 2 for w in taken[1:-1]), taken[-1]]
        needed = max(a + b for a, b in pairwise(halves)) + _TICK_GAP
        if ticks <= 2 or needed <= width / (ticks - 1):
            return [float(place) for place in places], labels
        ticks -= 1


def _tick_labels(scale: tuple[float, float], ticks: npt.NDArray[np.float64]) -> list[str]:
    decimals = 2 - math.floor(math.log10(scale[1] - scale[0]))
    if decimals > 6 or decimals < -2:
        return [f"{tick:.3g}" for tick in ticks]
    return [f"{tick:.{max(decimals, 0)}f}" for tick in ticks]


def fitting(text: str, width: int, size: float) -> str:
    """Text of ``size`` points on one line of ``width`` pixels: too much leaves its middle out.

    The end stays, because a path's last part and the score stand there. Characters that the
    font does not have become "?".
    """
    font = get_font(findfont("DejaVu Sans"))
    known = "".join(c if c.isprintable() and font.get_char_index(ord(c)) else "?" for c in text)
    for kept in range(min(len(known), _MOST_CHARACTERS), 0, -1):
        start = kept // 3
        shown = known
        if kept < len(known):
            shown = f"{known[:start]}…{known[len(known) - kept + start :]}"
        if _width(shown, size) <= width:
            return shown
    return ""


def wrapped(text: str, width: int, size: float) -> list[str]:
    """The lines of ``text`` in ``width`` pixels, broken at spaces; a longer word is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if line and _width(longer, size) > width:
            lines.append(line)
            longer = word
        line = longer
    return [fitting(line, width, size) for line in ([*lines, line] if line else lines)]


def _width(text: str, size: float) -> float:
    """Of a line, in pixels."""
    font = get_font(findfont("DejaVu Sans"))
    font.set_size(size, _DPI)
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64  # FreeType measures in 64ths of a pixel
