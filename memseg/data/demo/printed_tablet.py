"""A coated tablet with a printed mark on a conveyor belt: an object with a background around it.

Defects: chip (out of the rim), crack, misprint (a character missing, or ink that ran).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from memseg.data.demo.camera import Shot
from memseg.data.demo.drawing import (
    Canvas,
    Coverage,
    Picture,
    Points,
    blob,
    curve,
    paint,
    ring,
    shade,
    taper,
    unit_vector,
)
from memseg.data.demo.flaw import Flaw

MIDDLE = (64.0, 64.0)
RADIUS = 43.0
COATING = (0.90, 0.87, 0.79)
CORE = (0.80, 0.77, 0.70)
INK = (0.14, 0.20, 0.40)
BELT = (0.13, 0.21, 0.19)
LIGHT = (0.55, 0.83)
"""The direction in which light travels over the picture."""


def draw(canvas: Canvas, random: np.random.Generator, shot: Shot, flaw: Flaw | None) -> Picture:
    """One tablet; belt, coating and print differ a little from image to image."""
    belt = _belt(canvas, random)
    tablet = _coating(canvas, random)
    pressure = random.uniform(0.84, 0.95)
    offset = random.uniform(-0.5, 0.5, 2)
    kind = None if flaw is None else flaw.kind
    ink = _ink(canvas, offset, None if flaw is None or kind != "misprint" else flaw.random)
    tablet = paint(tablet, np.float32(pressure) * ink, INK)
    outline = canvas.polygon(ring(MIDDLE, (RADIUS, RADIUS), 180))
    if flaw is not None and kind == "chip":
        tablet, outline = _chip(canvas, tablet, outline, flaw.random)
    if flaw is not None and kind == "crack":
        tablet = _crack(canvas, tablet, flaw.random)
    tablet = canvas.moved(tablet, shot.shift, shot.degrees)
    outline = canvas.moved(outline, shot.shift, shot.degrees, empty_outside=True)
    shadow = canvas.blur(canvas.moved(outline, (2.6, 3.9), empty_outside=True), 2.2)
    belt = shade(belt, 1 - np.float32(0.65) * shadow)
    return paint(belt, outline, tablet)


def _belt(canvas: Canvas, random: np.random.Generator) -> Picture:
    """Rubber with fine diagonal ribs, seen at a random phase."""
    x, y = canvas.grid()
    phase = random.uniform(0, 2 * np.pi)
    ribs = 0.11 * np.sin(2 * np.pi * (0.74 * x + 0.67 * y) / 5.2 + phase)
    wear = 0.05 * canvas.cloud(random, 25) + 0.06 * canvas.cloud(random, 1.4)
    return np.clip(shade(canvas.plain(BELT), (1 + ribs + wear).astype(np.float32)), 0, 1)


def _coating(canvas: Canvas, random: np.random.Generator) -> Picture:
    """A domed face with a rounded rim, as if the tablet went on for ever beyond its outline."""
    x, y = canvas.grid()
    distance = np.sqrt((x - MIDDLE[0]) ** 2 + (y - MIDDLE[1]) ** 2)
    reach = np.clip(distance / RADIUS, 0, 1)
    rim = np.clip((reach - 0.82) / 0.18, 0, 1)
    height = RADIUS * (0.10 * (1 - reach**2) - 0.09 * rim**2)
    lit = canvas.slope(canvas.blur(height.astype(np.float32), 0.4), LIGHT)
    speckle = 0.014 * canvas.cloud(random, 1.6) + 0.010 * canvas.cloud(random, 12)
    light = np.clip(0.97 + 0.30 * lit - 0.06 * rim + speckle, 0, 1.15)
    return shade(canvas.plain(COATING), light.astype(np.float32))


def _glyphs() -> tuple[Points, ...]:
    """The strokes of the mark: M above 20."""
    letter = np.array([[-8, 7], [-8, -8], [0, 2.5], [8, -8], [8, 7]], np.float64)
    letter += np.array([64, 51])
    hook = np.linspace(-np.pi * 0.95, np.pi * 0.18, 14)
    bow = np.stack([5 * np.cos(hook), 5 * np.sin(hook) - 4], 1)
    two = np.concatenate([bow, np.array([[-5.2, 9.0], [5.6, 9.0]])]) + np.array([54, 79])
    oval = ring((74, 79), (5.6, 9.2), 40)
    zero = np.concatenate([oval, oval[:1]])
    return letter, two, zero


def _ink(
    canvas: Canvas,
    offset: npt.NDArray[np.float64],
    fault: np.random.Generator | None,
) -> Coverage:
    """The print's coverage; with `fault`, a misprint."""
    glyphs = _glyphs()
    missing = blot = None
    if fault is not None:
        chosen = int(fault.integers(len(glyphs)))
        missing, blot = (chosen, None) if fault.random() < 0.35 else (None, chosen)
    ink = np.zeros((canvas.side, canvas.side), np.float32)
    for k, glyph in enumerate(glyphs):
        if k != missing:
            ink = np.maximum(ink, canvas.stroke(glyph + offset, 2.6))
    if fault is not None and blot is not None:
        place = glyphs[blot][int(fault.integers(len(glyphs[blot])))] + offset
        drop = canvas.polygon(blob(fault, place, fault.uniform(5, 6.5), stretch=1.6))
        below = place + np.array([0, 8])
        run = curve(fault, below, 12, angle=np.pi / 2, bend=fault.uniform(-0.6, 0.6))
        trail = canvas.stroke(run, np.linspace(4.2, 1.6, len(run)))
        ink = np.maximum(ink, np.maximum(drop, trail))
    return canvas.blur(ink, 0.3)


def _chip(
    canvas: Canvas, tablet: Picture, outline: Coverage, random: np.random.Generator
) -> tuple[Picture, Coverage]:
    """A piece out of the rim: the belt is seen where it was, the rough core along the break."""
    angle, radius = random.uniform(0, 2 * np.pi), random.uniform(6.5, 9.5)
    centre = np.array(MIDDLE) + (RADIUS - 0.5) * unit_vector(angle)
    gone = canvas.polygon(blob(random, centre, radius, waviness=0.22))
    inwards = centre - 2.2 * unit_vector(angle)
    broken = canvas.polygon(blob(random, inwards, radius * 1.18, waviness=0.22))
    rough = 0.86 + 0.10 * canvas.cloud(random, 1.3) + 0.06 * canvas.cloud(random, 3)
    tablet = paint(tablet, broken, shade(canvas.plain(CORE), (0.88 * rough).astype(np.float32)))
    return tablet, np.asarray(outline * (1 - gone), np.float32)


def _crack(canvas: Canvas, tablet: Picture, random: np.random.Generator) -> Picture:
    """A jagged dark line with a side branch; the edge that faces the lamp is bright."""
    around, reach = random.uniform(0, 2 * np.pi), random.uniform(0.30, 0.62) * RADIUS
    middle = np.array(MIDDLE) + reach * unit_vector(around)
    angle = around + random.uniform(-0.9, 0.9)
    length, bend = random.uniform(24, 32), random.uniform(-0.6, 0.6)
    path = curve(random, middle, length, angle=angle, bend=bend, jitter=0.45, count=14)
    fork = int(random.integers(5, 9))
    aside = angle + random.choice([-1, 1]) * random.uniform(0.6, 1.0)
    branch = curve(random, (0, 0), 10, angle=aside, bend=0.3, jitter=0.4, count=6)
    branch = branch - branch[0] + path[fork]
    for line, widest in ((path, 2.3), (branch, 1.5)):
        widths = taper(len(line), widest, 0.5)
        tablet = paint(tablet, 0.6 * canvas.stroke(line + 0.8, widths), (1.0, 0.98, 0.93))
        tablet = paint(tablet, 0.92 * canvas.stroke(line, widths), (0.24, 0.20, 0.17))
    return tablet
