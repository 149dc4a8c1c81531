"""Shapes, strokes and noise on an oversampled canvas.

Lengths and positions are in units: the picture is 128 units wide and high at any size, (0, 0) is
its upper left corner. P is the canvas's side in pixels, OVERSAMPLE times that of the finished
image. Pictures are float32 (P, P, 3), RGB, about 0..1. Coverages are float32 (P, P) in [0, 1].
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]
Coverage = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
"""(k, 2), x and y in units."""
Place = Sequence[float] | npt.NDArray[np.float64]
"""x and y in units."""
Colour = tuple[float, float, float]

UNITS = 128.0
OVERSAMPLE = 2
_FRACTION_BITS = 4


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Random numbers that depend on nothing but the seed and these names."""
    text = "\x00".join(str(part) for part in (seed, *names))
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


@dataclass(frozen=True)
class Canvas:
    """A square to draw on, for a finished image of size × size pixels."""

    size: int

    @property
    def side(self) -> int:
        """P."""
        return self.size * OVERSAMPLE

    @property
    def scale(self) -> float:
        """Canvas pixels a unit."""
        return self.side / UNITS

    def grid(self) -> tuple[Coverage, Coverage]:
        """x and y of the pixels' centres in units, (P, P) each."""
        line = (np.arange(self.side, dtype=np.float32) + 0.5) / np.float32(self.scale)
        x, y = np.meshgrid(line, line)
        return x, y

    def plain(self, colour: Colour) -> Picture:
        """A picture of one colour."""
        return np.full((self.side, self.side, 3), colour, np.float32)

    def polygon(self, points: Points) -> Coverage:
        """The inside of a closed polygon."""
        layer = np.zeros((self.side, self.side), np.uint8)
        cv2.fillPoly(layer, [self._fixed(points)], 255, cv2.LINE_AA, _FRACTION_BITS)
        return _coverage(layer)

    def stroke(self, points: Points, width: float | npt.NDArray[np.float64]) -> Coverage:
        """A line through the points with round joints; one width, or one for each point."""
        widths = np.broadcast_to(np.asarray(width, np.float64), (len(points),))
        layer = np.zeros((self.side, self.side), np.uint8)
        for k in range(len(points) - 1):
            a, b = points[k], points[k + 1]
            along = b - a
            across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9) / 2
            sides = [
                a + across * widths[k],
                b + across * widths[k + 1],
                b - across * widths[k + 1],
                a - across * widths[k],
            ]
            fixed = self._fixed(np.array(sides))
            cv2.fillConvexPoly(layer, fixed, 255, cv2.LINE_AA, _FRACTION_BITS)
        for centre, across_here in zip(self._fixed(points), widths):
            radius = round(float(across_here) / 2 * self.scale * (1 << _FRACTION_BITS))
            place = (int(centre[0]), int(centre[1]))
            cv2.circle(layer, place, radius, 255, -1, cv2.LINE_AA, _FRACTION_BITS)
        return _coverage(layer)

    def blur(self, layer: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
        """Gaussian blur; sigma in units."""
        blurred = cv2.GaussianBlur(
            layer, (0, 0), sigma * self.scale, borderType=cv2.BORDER_REFLECT_101
        )
        return np.asarray(blurred, np.float32)

    def moved(
        self,
        layer: npt.NDArray[np.float32],
        shift: tuple[float, float],
        degrees: float = 0.0,
        *,
        empty_outside: bool = False,
    ) -> npt.NDArray[np.float32]:
        """The layer turned about the middle and shifted (units); what comes in from outside is
        mirrored, or 0.
        """
        middle = (self.side - 1) / 2
        matrix = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
        matrix[:, 2] += np.asarray(shift) * self.scale
        border = cv2.BORDER_CONSTANT if empty_outside else cv2.BORDER_REFLECT_101
        size = (self.side, self.side)
        moved = cv2.warpAffine(layer, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
        return np.asarray(moved, np.float32)

    def cloud(self, random: np.random.Generator, cell: float) -> Coverage:
        """Smooth random values, about 0 ± 1, that change over `cell` units. (P, P)"""
        cells = max(int(np.ceil(UNITS / cell)), 1) + 3
        coarse = random.standard_normal((cells, cells)).astype(np.float32)
        side = round(cells * cell * self.scale)
        fine = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
        edge = (side - self.side) // 2
        return np.asarray(fine[edge : edge + self.side, edge : edge + self.side], np.float32)

    def grain(self, random: np.random.Generator) -> Coverage:
        """Independent normal values of deviation 1. (P, P)"""
        return random.standard_normal((self.side, self.side), dtype=np.float32)

    def slope(self, height: Coverage, light: tuple[float, float]) -> Coverage:
        """How steeply a relief rises along `light`, the direction in which light travels over the
        picture: positive on the slopes that face the lamp. (P, P), units of height per unit.
        """
        dx = np.gradient(height, axis=1) * np.float32(self.scale)
        dy = np.gradient(height, axis=0) * np.float32(self.scale)
        return np.asarray(dx * light[0] + dy * light[1], np.float32)

    def _fixed(self, points: Points) -> npt.NDArray[np.int32]:
        pixels = np.asarray(points, np.float64) * self.scale - 0.5
        return np.round(pixels * (1 << _FRACTION_BITS)).astype(np.int32)


def _coverage(layer: npt.NDArray[np.uint8]) -> Coverage:
    return layer.astype(np.float32) / np.float32(255)


def paint(picture: Picture, coverage: Coverage, colour: Colour | Picture) -> Picture:
    """The picture with a colour, or another picture, laid over it."""
    layer = np.asarray(colour, np.float32)
    return np.asarray(picture + (layer - picture) * coverage[..., None], np.float32)


def shade(picture: Picture, factor: Coverage) -> Picture:
    """The picture, each pixel's light multiplied by a factor."""
    return np.asarray(picture * factor[..., None], np.float32)


def unit_vector(angle: float) -> npt.NDArray[np.float64]:
    """(x, y) of length 1; radians."""
    return np.array([np.cos(angle), np.sin(angle)])


def ring(centre: Place, radii: tuple[float, float], count: int = 48) -> Points:
    """Points round an upright ellipse."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    circle = np.stack([np.cos(angles) * radii[0], np.sin(angles) * radii[1]], 1)
    return np.asarray(centre, np.float64) + circle


def rectangle(centre: Place, sides: tuple[float, float], angle: float = 0.0) -> Points:
    """The corners of a rectangle turned by an angle in radians."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.asarray(sides) / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = corners @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(np.asarray(centre) + turned, np.float64)


def blob(
    random: np.random.Generator,
    centre: Place,
    radius: float,
    *,
    waviness: float = 0.12,
    stretch: float = 1.3,
) -> Points:
    """The outline of a drop: an ellipse, turned at random, with a few slow waves in its radius."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radii = np.ones_like(angles)
    for waves in (2, 3, 5):
        size = waviness * random.uniform(0.4, 1.0) / np.sqrt(waves)
        radii += size * np.cos(waves * angles + random.uniform(0, 2 * np.pi))
    longer = np.sqrt(random.uniform(1.0, stretch))
    outline = np.stack([np.cos(angles) * longer, np.sin(angles) / longer], 1) * radii[:, None]
    turn = random.uniform(0, np.pi)
    cosine, sine = np.cos(turn), np.sin(turn)
    turned = outline @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(np.asarray(centre) + radius * turned, np.float64)


def curve(
    random: np.random.Generator,
    middle: Place,
    length: float,
    *,
    angle: float,
    bend: float,
    swing: float = 0.0,
    jitter: float = 0.0,
    count: int = 16,
) -> Points:
    """An open line about `middle` of `count` pieces. In radians: its mean direction `angle`, how
    far it turns in all (`bend`), how far it swings out and back on its way (`swing`), and the
    deviation of each piece's direction (`jitter`).
    """
    way = np.linspace(-0.5, 0.5, count)
    directions = angle + bend * way + swing * np.sin(2 * np.pi * way)
    directions = directions + jitter * random.standard_normal(count)
    steps = np.stack([np.cos(directions), np.sin(directions)], 1) * length / count
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)])
    return np.asarray(points - (points.min(0) + points.max(0)) / 2 + np.asarray(middle))


def taper(count: int, widest: float, narrowest: float) -> npt.NDArray[np.float64]:
    """Widths of a stroke that is thin at both of its ends."""
    return narrowest + (widest - narrowest) * np.sin(np.linspace(0, np.pi, count))
