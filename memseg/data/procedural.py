"""Textures drawn by the code, for whoever has no texture data set.

S side in pixels, K the number of variants of a family. Each family is a function of a
generator and S that gives a grey picture in [0, 1]; colours are laid over it. They are a
stand-in: photographs (DTD) are richer.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

PROCEDURAL_TEXTURES = "procedural:1"
"""Identity of these textures; the number is raised when any of them changes."""

Grey = npt.NDArray[np.float64]
Family = Callable[[np.random.Generator, int], Grey]

_VARIANTS = 8


def procedural_textures(size: int) -> npt.NDArray[np.uint8]:
    """All families, eight variants each: uint8 (T, 3, size, size), T = 64, the same each time."""
    return np.stack(
        [
            _coloured(family(generator, size), generator)
            for number, family in enumerate(_FAMILIES)
            for variant in range(_VARIANTS)
            for generator in [np.random.Generator(np.random.Philox(key=[number, variant]))]
        ]
    )


def _coloured(grey: Grey, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    """(S, S) in [0, 1] to (3, S, S), from one random colour to another that is far from it."""
    dark, bright = generator.uniform(0, 110, 3), generator.uniform(120, 255, 3)
    if generator.random() < 0.5:
        dark[:], bright[:] = dark.mean(), bright.mean()
    image = dark[:, None, None] + (bright - dark)[:, None, None] * grey
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _stretched(grey: Grey) -> Grey:
    low, high = float(grey.min()), float(grey.max())
    return (grey - low) / max(high - low, 1e-9)


def _turned(generator: np.random.Generator, size: int) -> tuple[Grey, Grey]:
    """Coordinates in [0, 1], turned by a random angle."""
    y, x = np.mgrid[0:size, 0:size] / size
    angle = generator.uniform(0, np.pi)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _values(generator: np.random.Generator, size: int, cells: int) -> Grey:
    """Smooth noise: random values on a grid of so many cells, interpolated."""
    grid = generator.random((cells + 1, cells + 1))
    return np.asarray(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), np.float64)


def _noise(generator: np.random.Generator, size: int) -> Grey:
    """One octave of noise, from blotches to grain."""
    return _stretched(_values(generator, size, int(generator.integers(4, 64))))


def _clouds(generator: np.random.Generator, size: int) -> Grey:
    """Octaves of noise, each finer and weaker."""
    roughness = generator.uniform(0.4, 0.9)
    octaves = [roughness**k * _values(generator, size, 2 ** (k + 1)) for k in range(6)]
    return _stretched(np.sum(octaves, axis=0))


def _stripes(generator: np.random.Generator, size: int) -> Grey:
    """Straight stripes, soft or hard."""
    x, _ = _turned(generator, size)
    wave = np.sin(2 * np.pi * generator.integers(3, 24) * x)
    return np.asarray(np.clip(0.5 + wave * generator.uniform(0.5, 4), 0, 1), np.float64)


def _checks(generator: np.random.Generator, size: int) -> Grey:
    """A chessboard with a little grain."""
    x, y = _turned(generator, size)
    number = int(generator.integers(3, 16))
    board = (np.floor(x * number) + np.floor(y * number)) % 2
    return _stretched(board + generator.uniform(0, 0.5) * _values(generator, size, 48))


def _blobs(generator: np.random.Generator, size: int) -> Grey:
    """Round spots on a plain ground."""
    y, x = np.mgrid[0:size, 0:size] / size
    grey = np.zeros((size, size))
    for cx, cy, radius, height in generator.uniform(
        [0, 0, 0.015, 0.4], [1, 1, 0.09, 1], (int(generator.integers(30, 90)), 4)
    ):
        spot = height * np.exp(-((((x - cx) ** 2 + (y - cy) ** 2) / radius**2) ** 2))
        grey = np.maximum(grey, spot)
    return _stretched(grey)


def _veins(generator: np.random.Generator, size: int) -> Grey:
    """Marble: stripes bent by noise."""
    x, _ = _turned(generator, size)
    bend = generator.uniform(0.5, 2) * _clouds(generator, size)
    return _stretched(np.abs(np.sin(np.pi * (generator.integers(2, 8) * x + 2 * bend))))


def _woven(generator: np.random.Generator, size: int) -> Grey:
    """Threads over and under each other."""
    x, y = _turned(generator, size)
    number = int(generator.integers(6, 20))
    over = (np.floor(x * number) + np.floor(y * number)) % 2
    across, along = np.abs(np.sin(np.pi * number * x)), np.abs(np.sin(np.pi * number * y))
    return _stretched(np.where(over > 0, across, 0.8 * along) + 0.1 * _values(generator, size, 64))


def _cells(generator: np.random.Generator, size: int) -> Grey:
    """Distance to the nearest of random points: pebbles, scales."""
    y, x = np.mgrid[0:size, 0:size] / size
    distance = np.full((size, size), 2.0)
    for cx, cy in generator.random((int(generator.integers(20, 90)), 2)):
        distance = np.minimum(distance, np.hypot(x - cx, y - cy))
    return _stretched(distance)


_FAMILIES: tuple[Family, ...] = (
    _noise, _clouds, _stripes, _checks, _blobs, _veins, _woven, _cells,
)  # fmt: skip
