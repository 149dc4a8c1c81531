"""The training curve of a model card: a few rows, and a picture. Pure, always the same bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CURVE = "losses.csv"
PICTURE = "losses.svg"
_HEADER = "step,loss,l1,focal"
_WIDTH, _HEIGHT, _MARGIN = 480, 200, 40


@dataclass(frozen=True)
class Point:
    """The losses of one step."""

    step: int
    loss: float
    l1: float
    focal: float


def parse_curve(data: bytes | None) -> tuple[Point, ...]:
    """The points of ``losses.csv``; () where there is none, or it is something else."""
    lines = (data or b"").decode(errors="replace").splitlines()
    if lines[:1] != [_HEADER]:
        return ()
    try:
        rows = [line.split(",") for line in lines[1:]]
        points = tuple(Point(int(r[0]), float(r[1]), float(r[2]), float(r[3])) for r in rows)
    except (ValueError, IndexError):
        return ()
    finite = all(math.isfinite(v) for p in points for v in (p.loss, p.l1, p.focal))
    return points if finite else ()


def some_of(points: Sequence[Point], most: int) -> tuple[Point, ...]:
    """At most so many, evenly, the first and the last among them."""
    if len(points) <= most:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[round(n * last / (most - 1))] for n in range(most))


def draw_curve(points: Sequence[Point]) -> bytes:
    """An SVG of the loss over the steps, its height logarithmic. Needs two points or more.

    Drawn by hand: a plotting library's bytes change with its version, a version's must not.
    """
    first, last = points[0].step, points[-1].step
    heights = [math.log10(max(point.loss, 1e-12)) for point in points]
    low, high = min(heights), max(heights)
    places = " ".join(
        f"{_MARGIN + (_WIDTH - 2 * _MARGIN) * (p.step - first) / max(1, last - first):.1f},"
        f"{_MARGIN + (_HEIGHT - 2 * _MARGIN) * (high - h) / ((high - low) or 1.0):.1f}"
        for p, h in zip(points, heights)
    )
    right, bottom = _WIDTH - _MARGIN, _HEIGHT - _MARGIN
    labels = (
        (_MARGIN, bottom + 20, "start", f"step {first}"),
        (right, bottom + 20, "end", f"step {last}"),
        (_MARGIN, _MARGIN - 12, "start", f"loss {10**high:.3g}"),
        (right, _MARGIN - 12, "end", f"down to {10**low:.3g}, logarithmic"),
    )
    texts = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>\n'
        for x, y, anchor, text in labels
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n'
        f'<path d="M{_MARGIN} {_MARGIN}V{bottom}H{right}" fill="none" stroke="grey"/>\n'
        f'<polyline points="{places}" fill="none" stroke="black"/>\n{texts}</svg>\n'
    ).encode()
