"""A board connector seen from above, an object that fills the picture: gold pins in a housing.

Defects: bent_pin, missing_pin, solder_splash.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from memseg.data.demo.camera import Shot
from memseg.data.demo.drawing import (
    Canvas,
    Coverage,
    Picture,
    Points,
    blob,
    paint,
    rectangle,
    ring,
    shade,
    unit_vector,
)
from memseg.data.demo.flaw import Flaw

COLUMNS = (19.0, 49.0, 79.0, 109.0)
ROWS = (30.0, 64.0, 98.0)
CAVITY = 19.0
"""Side of a pin's chamber."""
PIN = 7.0
"""Side of a pin."""
PLASTIC = (0.33, 0.36, 0.40)
MARK = (0.84, 0.85, 0.83)
GOLD = (0.86, 0.68, 0.30)
SOLDER = (0.88, 0.90, 0.93)
LIGHT = (0.5, 0.87)
"""The direction in which light travels over the picture."""


@dataclass(frozen=True)
class _Pin:
    foot: npt.NDArray[np.float64]
    """(2,), where it stands, in units."""
    tip: npt.NDArray[np.float64]
    """(2,), where its end is seen; above the foot in a good part."""
    angle: float
    """Radians."""
    polish: float
    """Brightness, a factor."""


def draw(canvas: Canvas, random: np.random.Generator, shot: Shot, flaw: Flaw | None) -> Picture:
    """One part. Pins stand within a fraction of a unit, some shine more than others."""
    pins = [_good_pin(random, x, y) for y in ROWS for x in COLUMNS]
    picture = _housing(canvas, random)
    if flaw is not None and flaw.kind != "solder_splash":
        chosen = int(flaw.random.integers(len(pins)))
        bent = [_bend(pins[chosen], flaw.random)] if flaw.kind == "bent_pin" else []
        pins = [*pins[:chosen], *pins[chosen + 1 :], *bent]
    picture = _draw_pins(canvas, picture, pins)
    if flaw is not None and flaw.kind == "solder_splash":
        picture = _solder_splash(canvas, picture, flaw.random)
    return canvas.moved(picture, shot.shift, shot.degrees)


def _good_pin(random: np.random.Generator, x: float, y: float) -> _Pin:
    place = np.array([x, y]) + random.uniform(-0.35, 0.35, 2)
    return _Pin(place, place, random.uniform(-0.04, 0.04), random.uniform(0.93, 1.05))


def _housing(canvas: Canvas, random: np.random.Generator) -> Picture:
    """The housing without pins; only the grain of its skin differs from part to part."""
    mould = _mould(canvas)
    skin = 0.05 * canvas.cloud(random, 1.1) + 0.03 * canvas.cloud(random, 22)
    light = np.clip(mould.light + skin, 0.2, 2.0) * mould.reach
    picture = shade(canvas.plain(PLASTIC), light.astype(np.float32))
    return paint(picture, np.float32(0.85 * random.uniform(0.92, 1.0)) * mould.mark, MARK)


@dataclass(frozen=True)
class _Mould:
    """What all housings have in common. (P, P)"""

    light: Coverage
    """Light on the plastic's relief, a factor."""
    reach: Coverage
    """How much light reaches into chambers and grooves, a factor."""
    mark: Coverage
    """Coverage of the printed triangle at the first pin."""


@cache
def _mould(canvas: Canvas) -> _Mould:
    """Moulded plastic: chambers, a groove between the rows, two ejector marks."""
    depth = np.zeros((canvas.side, canvas.side), np.float32)
    for y in ROWS:
        for x in COLUMNS:
            depth = np.maximum(depth, canvas.polygon(_rounded((x, y), CAVITY)))
    grooves, ejectors = np.zeros_like(depth), np.zeros_like(depth)
    for y in (47.0, 81.0):
        grooves = np.maximum(grooves, canvas.stroke(np.array([[-9.0, y], [137.0, y]]), 2.4))
    for x in (34.0, 94.0):
        ejectors = np.maximum(ejectors, canvas.polygon(ring((x, 117.0), (4.0, 4.0))))
    relief = -(3.0 * depth + 1.3 * grooves + 1.8 * ejectors)
    lit = canvas.slope(canvas.blur(relief, 0.7), LIGHT)
    reach = 1 - np.float32(0.72) * canvas.blur(depth, 0.5) - np.float32(0.35) * grooves
    mark = canvas.polygon(np.array([[15.0, 8.0], [23.0, 8.0], [19.0, 15.0]]))
    return _Mould(1 + np.float32(0.30) * lit, reach, mark)


def _rounded(centre: tuple[float, float], side: float, radius: float = 2.5) -> Points:
    """The outline of a square with round corners."""
    inner = side / 2 - radius
    quarter = np.linspace(0, np.pi / 2, 6)
    starts = np.arange(4) * np.pi / 2
    corners = [
        np.sqrt(2) * inner * unit_vector(start + np.pi / 4)
        + radius * np.array([unit_vector(start + turn) for turn in quarter])
        for start in starts
    ]
    outline = np.concatenate(corners) + np.asarray(centre)
    return np.asarray(outline, np.float64)


def _draw_pins(canvas: Canvas, picture: Picture, pins: list[_Pin]) -> Picture:
    """Square pins from above: shadow, shank where one leans, chamfer and a flat bright end."""
    shadows, glints = (np.zeros((canvas.side, canvas.side), np.float32) for _ in range(2))
    for pin in pins:
        end = rectangle(pin.tip + np.array([1.6, 2.6]), (PIN, PIN), pin.angle)
        glint = rectangle(pin.tip - np.array([1.0, 1.2]), (2.2, 1.5), pin.angle)
        shadows = np.maximum(shadows, canvas.polygon(end))
        glints = np.maximum(glints, canvas.polygon(glint))
    picture = shade(picture, 1 - np.float32(0.6) * canvas.blur(shadows, 1.0))
    for pin in pins:
        picture = _draw_pin(canvas, picture, pin)
    return paint(picture, np.float32(0.7) * canvas.blur(glints, 0.3), (1.0, 0.97, 0.86))


def _draw_pin(canvas: Canvas, picture: Picture, pin: _Pin) -> Picture:
    foot, tip = (rectangle(place, (PIN, PIN), pin.angle) for place in (pin.foot, pin.tip))
    if not np.array_equal(foot, tip):
        shank = canvas.polygon(foot)
        for k in range(4):
            quad = np.array([foot[k], foot[(k + 1) % 4], tip[(k + 1) % 4], tip[k]])
            shank = np.maximum(shank, canvas.polygon(quad))
        picture = paint(picture, shank, _gold(0.52 * pin.polish))
    picture = paint(picture, canvas.polygon(tip), _gold(0.74 * pin.polish))
    face = rectangle(pin.tip - np.array([0.3, 0.3]), (PIN - 2.4, PIN - 2.4), pin.angle)
    return paint(picture, canvas.polygon(face), _gold(pin.polish))


def _gold(brightness: float) -> tuple[float, float, float]:
    return GOLD[0] * brightness, GOLD[1] * brightness, GOLD[2] * brightness


def _bend(pin: _Pin, random: np.random.Generator) -> _Pin:
    """The same pin pushed over, far enough to miss its socket."""
    lean = random.uniform(5.5, 7.5) * unit_vector(random.uniform(0, 2 * np.pi))
    turn = random.choice([-1, 1]) * random.uniform(0.2, 0.5)
    return replace(pin, tip=pin.foot + lean, angle=pin.angle + turn)


def _solder_splash(canvas: Canvas, picture: Picture, random: np.random.Generator) -> Picture:
    """A drop of solder, solidified where it fell on the plastic; some of it ran or sprang off."""
    column = random.uniform(18, 110)
    centre = np.array([column, float(random.choice([12.0, 47.0, 81.0, 117.0]))])
    radius = random.uniform(4.0, 5.5)
    run = random.choice([-1, 1]) * random.uniform(0.9, 1.3) * radius
    beside = centre + np.array([run, random.uniform(-2, 2)])
    body = np.maximum(
        canvas.polygon(blob(random, centre, radius, waviness=0.2, stretch=1.8)),
        canvas.polygon(blob(random, beside, 0.6 * radius)),
    )
    if random.random() < 0.7:
        away = random.choice([-1, 1]) * random.uniform(8, 12)
        off = centre + np.array([away, random.uniform(-4, 4)])
        body = np.maximum(body, canvas.polygon(blob(random, off, random.uniform(1.2, 2.0))))
    shadow = canvas.blur(canvas.moved(body, (0.9, 1.5), empty_outside=True), 0.8)
    picture = shade(picture, 1 - np.float32(0.6) * shadow)
    dome = canvas.blur(canvas.blur(body, 1.5) * body, 0.4)
    lit = np.clip(0.56 + 1.1 * canvas.slope(dome, LIGHT), 0.2, 1.15)
    crinkled = 1 + 0.10 * canvas.cloud(random, 1.6)
    metal = shade(canvas.plain(SOLDER), (lit * crinkled).astype(np.float32))
    return paint(picture, body, np.clip(metal, 0, 1))
