"""Figure 6: how normal images, simulated and real anomalies lie in the feature space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from memseg.figures.canvas import FAINT, INK, LINE, SMALL, Canvas, fitting, wrapped

if TYPE_CHECKING:
    from memseg.evaluation.feature_space import FeatureSpace

MOST_PLOTS = 30
_SIDE, _GAP, _MARGIN, _TITLE, _LEGEND = 320, 20, 20, 24, 30
_COLUMNS = 3

MARKS: dict[str, dict[str, Any]] = {
    "normal": {"marker": "o", "facecolors": "none", "edgecolors": "#0072b2"},
    "simulated anomaly": {"marker": "^", "facecolors": "#e69f00", "edgecolors": "none"},
    "real anomaly": {"marker": "x", "color": "#8b1a4f"},
}
"""Each kind has a colour and a shape of its own, so that colours are not needed to tell them."""

_SHORT = {"normal": "normal", "simulated anomaly": "simulated", "real anomaly": "real"}


def feature_space_figure(spaces: Sequence[FeatureSpace], notes: Sequence[str] = ()) -> bytes:
    """A PNG with a scatter plot for each category of ``memseg.evaluation.feature_space``.

    Below each stand the shares of its real anomalies whose nearest image is of each kind;
    ``notes``: paragraphs at the end. Raises ValueError for none and for more than ``MOST_PLOTS``.
    """
    if not 1 <= len(spaces) <= MOST_PLOTS:
        raise ValueError(f"a sheet shows from 1 to {MOST_PLOTS} categories, got {len(spaces)}")
    columns = min(_COLUMNS, len(spaces))
    width = max(2 * _MARGIN + columns * (_SIDE + _GAP) - _GAP, 560)
    below = [_nearest_text(space) for space in spaces]
    texts = [[line for text in each for line in wrapped(text, _SIDE, SMALL)] for each in below]
    step = _TITLE + _SIDE + LINE * (1 + max(map(len, texts))) + _GAP // 2
    said = (_note(spaces), *notes)
    lines = [line for one in said for line in wrapped(one, width - 2 * _MARGIN, SMALL)]
    top = _MARGIN + _LEGEND
    end = top + step * -(-len(spaces) // columns)
    canvas = Canvas(width, end + LINE * len(lines) + _MARGIN)
    _legend(canvas)
    for index, (space, text) in enumerate(zip(spaces, texts)):
        row, column = divmod(index, columns)
        left, above = _MARGIN + column * (_SIDE + _GAP), top + row * step
        canvas.text(left, above + _TITLE - 8, fitting(space.title, _SIDE, 9.5), INK, 9.5)
        _scatter(canvas, space, left, above + _TITLE)
        canvas.lines(left, above + _TITLE + _SIDE + LINE, text)
    canvas.lines(_MARGIN, end + LINE, lines, INK)
    return canvas.png()


def _scatter(canvas: Canvas, space: FeatureSpace, left: int, top: int) -> None:
    axes = canvas.axes(left, top, _SIDE, _SIDE)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(FAINT)
        spine.set_linewidth(0.6)
    for kind, mark in MARKS.items():
        chosen = space.points[space.kinds == kind]
        axes.scatter(chosen[:, 0], chosen[:, 1], s=26, linewidths=1.1, alpha=0.85, **mark)
    low, high = space.points.min(0), space.points.max(0)
    # One unit on both axes: t-SNE's distances are all that it shows.
    half = 0.54 * max(float((high - low).max()), float(np.finfo(np.float32).eps))
    middle = (low + high) / 2
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)


def _legend(canvas: Canvas) -> None:
    left = _MARGIN
    for kind, mark in MARKS.items():
        axes = canvas.axes(left, _MARGIN - 8, 16, 16)
        axes.set_axis_off()
        axes.scatter([0], [0], s=32, linewidths=1.1, **mark)
        canvas.text(left + 20, _MARGIN + 4, kind, INK, 9.5)
        left += 170


def _nearest_text(space: FeatureSpace) -> list[str]:
    counts = ", ".join(f"{int((space.kinds == k).sum())} {name}" for k, name in _SHORT.items())
    lines = [f"Images: {counts}."]
    for kind in ("real anomaly", "normal"):
        if kind in space.nearest:
            found = space.nearest[kind].items()
            shares = ", ".join(f"{share:.0%} {_SHORT[k]}" for k, share in found)
            lines.append(f"Nearest image of a {kind}: {shares}.")
    return lines


def _note(spaces: Sequence[FeatureSpace]) -> str:
    perplexities = sorted({space.perplexity for space in spaces})
    seeds = sorted({space.seed for space in spaces})
    return (
        "t-SNE of block 4's output, averaged over its places (512 channels); axes and distances "
        f"have no unit. Perplexity {', '.join(f'{p:.3g}' for p in perplexities)}, "
        f"seed {', '.join(map(str, seeds))}. Nearest images are by all 512 channels."
    )
