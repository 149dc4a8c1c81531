"""Plain-woven cloth, a texture: blue warp (upright yarns), cream weft (level yarns).

Defects: broken_yarn, foreign_fibre, hole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memseg.data.demo.camera import Shot
from memseg.data.demo.drawing import (
    UNITS,
    Canvas,
    Colour,
    Coverage,
    Picture,
    curve,
    paint,
    shade,
    unit_vector,
)
from memseg.data.demo.flaw import Flaw

YARN = 5.4
"""Distance from yarn to yarn, in units."""
WARP: Colour = (0.27, 0.37, 0.53)
WEFT: Colour = (0.84, 0.80, 0.70)
BEHIND: Colour = (0.055, 0.055, 0.065)
"""What is seen through a gap."""
FIBRES: tuple[Colour, ...] = ((0.62, 0.10, 0.10), (0.08, 0.07, 0.06), (0.10, 0.38, 0.20))


@dataclass(frozen=True)
class _Cloth:
    """Where each pixel lies in the weave. (P, P)"""

    u: Coverage
    """Across the warp, counted in yarns."""
    v: Coverage
    """Across the weft, counted in yarns."""
    warp_shade: npt.NDArray[np.float32]
    weft_shade: npt.NDArray[np.float32]
    """A factor for each yarn."""


def draw(canvas: Canvas, random: np.random.Generator, shot: Shot, flaw: Flaw | None) -> Picture:
    """A piece of cloth, cut anywhere: yarns run on from a random place."""
    cloth = _loom(canvas, random, shot.degrees)
    lint = 0.03 * canvas.cloud(random, 1.2) + 0.02 * canvas.cloud(random, 30)
    light = (1 + lint).astype(np.float32)
    if flaw is None:
        return shade(_weave(cloth), light)
    if flaw.kind == "broken_yarn":
        return shade(_broken_yarn(canvas, cloth, flaw.random), light)
    if flaw.kind == "hole":
        return shade(_hole(canvas, cloth, flaw.random), light)
    return _foreign_fibre(canvas, shade(_weave(cloth), light), flaw.random)


def _loom(canvas: Canvas, random: np.random.Generator, degrees: float) -> _Cloth:
    x, y = canvas.grid()
    across, down = unit_vector(np.radians(degrees))
    phase = random.uniform(4, 6, 2)
    sway = 0.16 * canvas.cloud(random, 45), 0.16 * canvas.cloud(random, 45)
    u = (across * x + down * y) / YARN + phase[0] + sway[0]
    v = (-down * x + across * y) / YARN + phase[1] + sway[1]
    shades = 1 + 0.05 * random.standard_normal((2, int(UNITS / YARN) + 16))
    return _Cloth(
        u.astype(np.float32),
        v.astype(np.float32),
        shades[0].astype(np.float32),
        shades[1].astype(np.float32),
    )


def _weave(
    cloth: _Cloth, warp_left: Coverage | None = None, weft_left: Coverage | None = None
) -> Picture:
    """The cloth's picture. Where yarns are damaged, what is left of them: (P, P) factors, 1 for
    whole, 0 for gone, between for sunk into the shade.
    """
    i, j = np.floor(cloth.u).astype(np.int32), np.floor(cloth.v).astype(np.int32)
    fu, fv = cloth.u - i - 0.5, cloth.v - j - 0.5
    warp_on_top = (i + j) % 2 == 0
    warp = _yarn(fu, fv, warp_on_top) * _twist(cloth.v, fu)
    weft = _yarn(fv, fu, ~warp_on_top) * _twist(cloth.u, fv)
    warp = warp * cloth.warp_shade[i % len(cloth.warp_shade)]
    weft = weft * cloth.weft_shade[j % len(cloth.weft_shade)]
    if warp_left is not None:
        warp = warp * warp_left
    if weft_left is not None:
        weft = weft * weft_left
    picture = np.empty((*warp.shape, 3), np.float32)
    picture[:] = BEHIND
    for top in (False, True):
        picture = _lay(picture, warp, WARP, warp_on_top == top)
        picture = _lay(picture, weft, WEFT, warp_on_top != top)
    return picture


def _yarn(across: Coverage, along: Coverage, on_top: npt.NDArray[np.bool_]) -> Coverage:
    """Light on a round yarn that bends up and down; 0 beside it."""
    roundness = np.sqrt(np.clip(1 - (2.12 * across) ** 2, 0, 1))
    arch = np.where(on_top, 0.72 + 0.28 * np.cos(np.pi * along), 0.40)
    return np.asarray(roundness * arch, np.float32)


def _twist(along: Coverage, across: Coverage) -> Coverage:
    """A factor for the light on a yarn's twisted strands; both arguments in yarns."""
    return np.asarray(1 + 0.10 * np.sin(2 * np.pi * (2.0 * along + 1.2 * across)), np.float32)


def _lay(
    picture: Picture, light: Coverage, colour: Colour, where: npt.NDArray[np.bool_]
) -> Picture:
    covers = (where * np.clip(light * 8, 0, 1)).astype(np.float32)
    yarn = light[..., None] * np.asarray(colour, np.float32)
    return np.asarray(picture + (yarn - picture) * covers[..., None], np.float32)


def _broken_yarn(canvas: Canvas, cloth: _Cloth, random: np.random.Generator) -> Picture:
    """A weft yarn is gone for a few crossings; the warp sags there, the two ends stick out."""
    middle = canvas.side // 2
    row = np.floor(cloth.v[middle, middle]) + int(random.integers(-7, 8))
    start = cloth.u[middle, middle] + random.uniform(-7, 3)
    end = start + random.uniform(3.2, 4.8)
    gap = (np.floor(cloth.v) == row) & (cloth.u > start) & (cloth.u < end)
    gone = gap.astype(np.float32)
    picture = _weave(cloth, 1 - np.float32(0.45) * gone, 1 - gone)
    for place, side in ((start, np.pi), (end, 0.0)):
        tip = _where(canvas, cloth, float(place), float(row) + 0.5)
        for _ in range(2):
            angle = side + np.pi + random.uniform(-0.9, 0.9)
            middle_of_end = tip + 2.0 * unit_vector(angle)
            wisp = curve(random, middle_of_end, 4, angle=angle, bend=random.uniform(-2, 2), count=6)
            picture = paint(picture, 0.8 * canvas.stroke(wisp, 0.6), (0.72, 0.68, 0.58))
    return picture


def _where(canvas: Canvas, cloth: _Cloth, u: float, v: float) -> npt.NDArray[np.float64]:
    """The place, in units, of a point given in yarns."""
    distance = (cloth.u - u) ** 2 + (cloth.v - v) ** 2
    y, x = np.unravel_index(int(distance.argmin()), distance.shape)
    return (np.array([x, y]) + 0.5) / canvas.scale


def _foreign_fibre(canvas: Canvas, cloth: Picture, random: np.random.Generator) -> Picture:
    """A loose thread of another colour lies on the cloth and throws a shadow."""
    middle = random.uniform(24, 104, 2)
    path = curve(
        random,
        middle,
        random.uniform(28, 42),
        angle=random.uniform(0, 2 * np.pi),
        bend=random.choice([-1, 1]) * random.uniform(0.5, 4.0),
        swing=random.uniform(-1.3, 1.3),
        jitter=0.08,
        count=28,
    )
    colour = FIBRES[int(random.integers(len(FIBRES)))]
    width = random.uniform(1.5, 2.0)
    shadow = canvas.blur(canvas.stroke(path + np.array([0.8, 1.2]), width), 0.7)
    cloth = shade(cloth, 1 - np.float32(0.55) * shadow)
    cloth = paint(cloth, canvas.stroke(path, width), colour)
    lighter = (min(colour[0] + 0.18, 1.0), colour[1] + 0.16, colour[2] + 0.16)
    return paint(cloth, 0.6 * canvas.stroke(path - np.array([0.25, 0.3]), width * 0.35), lighter)


def _hole(canvas: Canvas, cloth: _Cloth, random: np.random.Generator) -> Picture:
    """Yarns of both directions are torn, each at its own length, and dark towards their ends."""
    x, y = canvas.grid()
    centre, radius = random.uniform(22, 106, 2), random.uniform(6.0, 8.5)
    distance = np.hypot(x - centre[0], (y - centre[1]) * random.uniform(0.8, 1.25))
    left = []
    for position in (cloth.u, cloth.v):
        torn = radius * random.uniform(0.65, 1.15, len(cloth.warp_shade))
        beyond = distance - torn[np.floor(position).astype(np.int32) % len(torn)]
        left.append((np.clip(0.45 + beyond / 4.5, 0, 1) * (beyond > 0)).astype(np.float32))
    picture = _weave(cloth, left[0], left[1])
    for k in range(5):
        angle = 2 * np.pi * (k + random.uniform(-0.4, 0.4)) / 5
        root = centre + 0.8 * radius * unit_vector(angle)
        inwards = angle + np.pi + random.uniform(-1.0, 1.0)
        bend = random.uniform(-1.6, 1.6)
        wisp = curve(random, root, random.uniform(3, 5), angle=inwards, bend=bend, count=6)
        colour = WEFT if k % 2 else WARP
        picture = paint(picture, 0.55 * canvas.stroke(wisp, 0.5), colour)
    return picture
