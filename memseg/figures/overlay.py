"""A contact sheet: each image, where its defect is, and where the network saw one.

k images, S side in pixels.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from memseg.errors import DivergedError
from memseg.figures.heat import COLOUR_MAP, Scale, heat_overlay, shared_scale

MOST_IMAGES = 60
"""More would make a picture that nothing opens."""

_DPI = 100
_PANEL = 200  # side of a panel, all sizes in pixels of the sheet
_GAP = 6
_TITLE = 26
_MARGIN = 20
_HEADER = 22
_BAR = 66
_TITLE_POINTS = 9.5
_MOST_CHARACTERS = 300
_INK, _FAINT = "#1b1b1f", "#6b6b75"
_OUTLINE = "#19e3c2"  # not a colour of the map, nor of most products


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
    _check(images, maps, masks, titles, scale)
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
                _outline(panels[2], masks[index], 0.8)
    sheet.colour_bar(shared, outlined=masks is not None)
    return sheet.png()


class _Sheet:
    """Places panels by pixels of the sheet, from the top left."""

    def __init__(self, count: int, panels: int) -> None:
        self._columns = 1 if count <= 3 else 2
        self._cell = (panels * (_PANEL + _GAP) + _MARGIN, _TITLE + _PANEL + _GAP * 2)
        rows = -(-count // self._columns)
        self._width = self._columns * self._cell[0] + _MARGIN
        self._height = _MARGIN + _HEADER + rows * self._cell[1] + _BAR
        size = (self._width / _DPI, self._height / _DPI)
        self._figure = Figure(figsize=size, dpi=_DPI, facecolor="white")

    def panels(self, index: int, title: str, names: Sequence[str]) -> list[Axes]:
        row, column = divmod(index, self._columns)
        left = _MARGIN + column * self._cell[0]
        top = _MARGIN + _HEADER + row * self._cell[1]
        width = len(names) * (_PANEL + _GAP)
        self._text(left, top + _TITLE - 8, fitting(title, width), _INK, _TITLE_POINTS)
        made = []
        for position, name in enumerate(names):
            x = left + position * (_PANEL + _GAP)
            if row == 0:
                self._text(x, _MARGIN + 8, name, _FAINT, 8.5)
            axes = self._axes(x, top + _TITLE, _PANEL, _PANEL)
            axes.set_axis_off()
            made.append(axes)
        return made

    def colour_bar(self, scale: Scale, *, outlined: bool) -> None:
        top = self._height - _BAR + 10
        axes = self._axes(_MARGIN, top, 2 * _PANEL, 10)
        colours = ScalarMappable(Normalize(*scale), COLOUR_MAP)
        bar = self._figure.colorbar(colours, cax=axes, orientation="horizontal")
        bar.outline.set_visible(False)
        ticks = np.linspace(*scale, 5)  # both ends are among them: they say the scale
        bar.set_ticks(list(ticks), labels=_tick_labels(scale, ticks))
        ends = bar.ax.get_xticklabels()
        ends[0].set_horizontalalignment("left")
        ends[-1].set_horizontalalignment("right")
        bar.ax.tick_params(labelsize=8, colors=_FAINT, length=3)
        text = "anomaly score, one scale for all"
        if outlined:
            text += "; outline: ground truth"
        self._text(_MARGIN, top + 46, text, _FAINT, 8.5)

    def png(self) -> bytes:
        FigureCanvasAgg(self._figure)
        target = io.BytesIO()
        # without the version of the library, equal sheets are equal bytes
        self._figure.savefig(target, format="png", dpi=_DPI, metadata={"Software": None})
        return target.getvalue()

    def _axes(self, x: int, y: int, width: int, height: int) -> Axes:
        bottom = self._height - y - height
        share = (
            x / self._width, bottom / self._height, width / self._width, height / self._height
        )  # fmt: skip
        return self._figure.add_axes(share)

    def _text(self, x: int, y: int, text: str, colour: str, size: float) -> None:
        self._figure.text(
            x / self._width, 1 - y / self._height, text, color=colour, fontsize=size,
            verticalalignment="baseline", parse_math=False,
        )  # fmt: skip


def _tick_labels(scale: Scale, ticks: npt.NDArray[np.float64]) -> list[str]:
    decimals = 2 - math.floor(math.log10(scale[1] - scale[0]))
    if decimals > 6:
        return [f"{tick:.3g}" for tick in ticks]
    return [f"{tick:.{max(decimals, 0)}f}" for tick in ticks]


def fitting(title: str, width: int, size: float = _TITLE_POINTS) -> str:
    """A title on one line of ``width`` pixels: what does not fit leaves its middle out.

    The end stays, because a path's last part and the score stand there. Characters that the
    font does not have become "?".
    """
    font = get_font(findfont("DejaVu Sans"))
    font.set_size(size, _DPI)
    text = "".join(c if c.isprintable() and font.get_char_index(ord(c)) else "?" for c in title)
    for kept in range(min(len(text), _MOST_CHARACTERS), 0, -1):
        start = kept // 3
        shown = text if kept == len(text) else f"{text[:start]}…{text[len(text) - kept + start :]}"
        font.set_text(shown)
        if font.get_width_height()[0] / 64 <= width:  # FreeType measures in 64ths of a pixel
            return shown
    return ""


def _ground_truth(axes: Axes, mask: npt.NDArray[np.bool_]) -> None:
    if mask.any():
        _outline(axes, mask, 1.6)
        return
    axes.text(
        0.035, 0.04, "no defect marked", transform=axes.transAxes, fontsize=8, color="white",
        bbox={"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 2},
    )  # fmt: skip


def _outline(axes: Axes, mask: npt.NDArray[np.bool_], width: float) -> None:
    # a border of False closes outlines that run along the image's edge
    padded = np.pad(mask.astype(np.float64), 1)
    places = np.arange(-1, mask.shape[0] + 1)
    for colour, line in (("black", width + 1.4), (_OUTLINE, width)):
        axes.contour(places, places, padded, levels=[0.5], colors=[colour], linewidths=[line])


def _check(
    images: npt.NDArray[np.uint8],
    maps: npt.NDArray[np.floating],
    masks: npt.NDArray[np.bool_] | None,
    titles: Sequence[str],
    scale: Scale | None,
) -> None:
    count, side = len(images), images.shape[-1]
    if images.dtype != np.uint8 or images.shape != (count, 3, side, side):
        raise ValueError(f"images must be uint8 (k, 3, S, S), got {images.dtype} {images.shape}")
    if not 1 <= count <= MOST_IMAGES:
        raise ValueError(f"a sheet shows from 1 to {MOST_IMAGES} images, got {count}")
    for name, array in (("maps", maps), ("masks", masks)):
        if array is not None and array.shape != (count, side, side):
            raise ValueError(f"{name} must be {(count, side, side)}, got {array.shape}")
    if len(titles) != count:
        raise ValueError(f"{count} images need as many titles, got {len(titles)}")
    if scale is not None and not scale[0] < scale[1]:
        raise ValueError(f"the scale must go from a lower to a higher score, got {scale}")
    if not np.isfinite(maps).all():
        wrong = titles[int(np.argwhere(~np.isfinite(maps))[0][0])]
        raise DivergedError(
            f"the anomaly map of {wrong!r} has values that are not finite: the network has "
            "diverged; lower optimizer.lr or use precision fp32"
        )
