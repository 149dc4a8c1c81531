"""Brushed steel sheet, a texture: fine horizontal grooves under a broad soft reflection.

Defects: dent, rust, scratch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from memseg.data.demo.camera import Shot
from memseg.data.demo.drawing import (
    Canvas,
    Coverage,
    Picture,
    blob,
    curve,
    paint,
    shade,
    taper,
)
from memseg.data.demo.flaw import Flaw

STEEL = (0.60, 0.615, 0.63)
RUST = (0.43, 0.24, 0.12)
MARGIN = 20.0


def draw(canvas: Canvas, random: np.random.Generator, shot: Shot, flaw: Flaw | None) -> Picture:
    """A sheet, brushed anew for each image: no two have a groove in common."""
    grooves = 0.055 * _brushing(canvas, random, 90) + 0.035 * _brushing(canvas, random, 18)
    _, y = canvas.grid()
    height = random.uniform(40, 88)
    reflection = 0.10 * np.exp(-(((y - height) / random.uniform(42, 52)) ** 2))
    light = 1 + grooves + reflection + 0.012 * canvas.cloud(random, 40)
    sheet = shade(canvas.plain(STEEL), canvas.moved(light.astype(np.float32), (0, 0), shot.degrees))
    return sheet if flaw is None else _DEFECTS[flaw.kind](canvas, sheet, flaw.random)


def _brushing(canvas: Canvas, random: np.random.Generator, length: float) -> Coverage:
    """Grooves of about `length` units, deviation 1."""
    kernel = (2 * round(length * canvas.scale / 2) + 1, 1)
    wide = np.pad(canvas.grain(random), ((0, 0), (kernel[0] // 2, kernel[0] // 2)), mode="wrap")
    streaks = cv2.blur(wide, kernel)[:, kernel[0] // 2 : kernel[0] // 2 + canvas.side]
    return np.asarray(streaks / max(float(streaks.std()), 1e-6), np.float32)


def _place(random: np.random.Generator) -> tuple[float, float]:
    x, y = random.uniform(MARGIN, 128 - MARGIN, 2)
    return float(x), float(y)


def _scratch(canvas: Canvas, sheet: Picture, random: np.random.Generator) -> Picture:
    """A tool slipped across the grooves: a bright cut, its far edge in the dark, and beside it a
    finer one from the same slip.
    """
    angle = random.uniform(0.2, 0.8) * np.pi
    length, bend = random.uniform(24, 36), random.uniform(-0.4, 0.4)
    path = curve(random, _place(random), length, angle=angle, bend=bend, jitter=0.09, count=24)
    second = path[5:19] + random.choice([-1, 1]) * np.array([3.0, 0.6])
    for line, widest in ((path, random.uniform(1.5, 2.0)), (second, 0.9)):
        widths = taper(len(line), widest, 0.4)
        shadow = canvas.stroke(line + np.array([0.8, 0.5]), widths)
        sheet = paint(sheet, 0.75 * shadow, (0.2, 0.2, 0.21))
        sheet = paint(sheet, 0.9 * canvas.stroke(line, widths * 0.75), (0.97, 0.97, 0.98))
    return sheet


def _dent(canvas: Canvas, sheet: Picture, random: np.random.Generator) -> Picture:
    """A hollow with a soft rim: its lower wall faces the lamp above, its upper wall lies in the
    shade; the grooves run on through it.
    """
    radius = random.uniform(6, 8.5)
    outline = blob(random, _place(random), radius, waviness=0.08, stretch=1.8)
    inside = canvas.blur(canvas.polygon(outline), 0.28 * radius)
    lit = canvas.slope(-np.float32(radius) * inside, (0.35, 0.94))
    return np.clip(shade(sheet, np.exp(0.40 * lit - 0.12 * inside)), 0, 1)


def _rust(canvas: Canvas, sheet: Picture, random: np.random.Generator) -> Picture:
    """A spot of corrosion with a paler halo; the grooves show through at its rim."""
    centre, radius = _place(random), random.uniform(4.5, 8)
    core = canvas.blur(canvas.polygon(blob(random, centre, radius)), 0.7)
    halo = canvas.blur(canvas.polygon(blob(random, centre, radius * 1.35)), 1.6)
    mottled = 1 + 0.16 * canvas.cloud(random, 2.0) + 0.1 * canvas.cloud(random, 5.0)
    rust = np.clip(shade(canvas.plain(RUST), mottled.astype(np.float32)), 0, 1)
    sheet = paint(sheet, 0.35 * halo, (0.62, 0.45, 0.28))
    return paint(sheet, 0.92 * core, rust)


_DEFECTS: Mapping[str, Callable[[Canvas, Picture, np.random.Generator], Picture]] = {
    "dent": _dent,
    "rust": _rust,
    "scratch": _scratch,
}
