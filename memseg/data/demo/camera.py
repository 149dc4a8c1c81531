"""What differs between two photographs of good parts: light, pose and grain.

All of it is global (a lamp that ages, a part that lies a degree askew), so that a defect stays
the only thing that is local.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from memseg.data.demo.drawing import UNITS, Canvas, Picture


@dataclass(frozen=True)
class Shot:
    """The circumstances of one photograph."""

    gain: float
    """Exposure, a factor."""
    tint: tuple[float, float, float]
    """The lamp's colour, a factor for each of R, G and B."""
    falloff: tuple[float, float]
    """Change of the light across the picture, left to right and top to bottom, as a fraction."""
    shift: tuple[float, float]
    """Of the part, in units."""
    degrees: float
    """The part's rotation."""
    grain: float
    """Deviation of the sensor's noise, as a fraction of full scale."""


def draw_shot(random: np.random.Generator, *, light: float, shift: float, degrees: float) -> Shot:
    """Circumstances within limits: exposure 1 ± light, position ± shift units, ± degrees."""
    return Shot(
        gain=1 + random.uniform(-light, light),
        tint=_three(1 + random.uniform(-0.015, 0.015, 3)),
        falloff=_two(random.uniform(-light / 2, light / 2, 2)),
        shift=_two(random.uniform(-shift, shift, 2)),
        degrees=random.uniform(-degrees, degrees),
        grain=random.uniform(0.008, 0.014),
    )


def expose(canvas: Canvas, scene: Picture, shot: Shot) -> Picture:
    """The scene under the shot's light, at the finished size, without grain.

    Returns (S, S, 3), RGB, in [0, 1].
    """
    x, y = canvas.grid()
    light = 1 + shot.falloff[0] * (x / UNITS - 0.5) + shot.falloff[1] * (y / UNITS - 0.5)
    lit = scene * (light * np.float32(shot.gain))[..., None] * np.asarray(shot.tint, np.float32)
    size = (canvas.size, canvas.size)
    small = cv2.resize(np.clip(lit, 0, 1), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def develop(exposed: Picture, shot: Shot, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The finished image (S, S, 3) with the sensor's grain: most of it grey, a little coloured."""
    grey = random.standard_normal(exposed.shape[:2], dtype=np.float32)[..., None]
    coloured = random.standard_normal(exposed.shape, dtype=np.float32)
    noise = np.float32(0.85) * grey + np.float32(0.5) * coloured
    noisy = exposed + np.float32(shot.grain) * noise
    return np.round(np.clip(noisy, 0, 1) * 255).astype(np.uint8)


def _two(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _three(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
