"""The table of product lines, and the rendering of one image with its exact mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from memseg.data.demo import brushed_metal, connector, printed_tablet, woven_fabric
from memseg.data.demo.camera import Shot, develop, draw_shot, expose
from memseg.data.demo.drawing import Canvas, Picture, generator
from memseg.data.demo.flaw import Flaw

VISIBLE = 9 / 255
"""A defect's mask is where it changes some channel of the grainless image by more than this."""


@dataclass(frozen=True)
class ProductLine:
    """One demo category."""

    draw: Callable[[Canvas, np.random.Generator, Shot, Flaw | None], Picture]
    """The scene; with and without a flaw it takes the same numbers from the generator, so that
    both pictures are of the same part."""
    defects: Mapping[str, int]
    """Kinds of defect, each with its number of test images."""
    light: float
    """Exposure varies by this fraction either way."""
    shift: float
    """The part's position varies by this many units."""
    degrees: float
    """The part's rotation varies by this many degrees."""


@dataclass(frozen=True)
class Rendering:
    """One image and the truth about it. S side in pixels."""

    image: npt.NDArray[np.uint8]
    """(S, S, 3), RGB."""
    without: npt.NDArray[np.uint8]
    """(S, S, 3): the same photograph of the same part without its defect."""
    mask: npt.NDArray[np.bool_]
    """(S, S), True where the defect is seen."""


LINES: Mapping[str, ProductLine] = {
    "brushed_metal": ProductLine(
        brushed_metal.draw,
        {"dent": 4, "rust": 4, "scratch": 5},
        light=0.12,
        shift=0,
        degrees=2,
    ),
    "connector": ProductLine(
        connector.draw,
        {"bent_pin": 4, "missing_pin": 4, "solder_splash": 5},
        light=0.12,
        shift=1.6,
        degrees=1.2,
    ),
    "printed_tablet": ProductLine(
        printed_tablet.draw,
        {"chip": 4, "crack": 5, "misprint": 4},
        light=0.10,
        shift=1.8,
        degrees=1.5,
    ),
    "woven_fabric": ProductLine(
        woven_fabric.draw,
        {"broken_yarn": 4, "foreign_fibre": 5, "hole": 4},
        light=0.12,
        shift=0,
        degrees=2,
    ),
}
"""By category, sorted. One new file and one entry here add a product line (and its name goes
into memseg.data.demo.DEMO_TEXTURES or DEMO_OBJECTS, which must not import cv2)."""


def render(
    category: str, split: str, index: int, *, size: int, seed: int, defect: str | None = None
) -> Rendering:
    """Draws one image; it depends on these arguments only, not on images drawn before.

    split: "train" or "test"; defect: one of the line's kinds, None for a normal image.
    """
    line, canvas = LINES[category], Canvas(size)
    identity = (category, split, defect or "good", index)
    shot = draw_shot(
        generator(seed, "shot", *identity),
        light=line.light,
        shift=line.shift,
        degrees=line.degrees,
    )

    def photograph(flaw: Flaw | None) -> Picture:
        part = generator(seed, "part", *identity)
        return expose(canvas, line.draw(canvas, part, shot, flaw), shot)

    def finish(exposed: Picture) -> npt.NDArray[np.uint8]:
        return develop(exposed, shot, generator(seed, "grain", *identity))

    normal = photograph(None)
    if defect is None:
        image = finish(normal)
        return Rendering(image, image, np.zeros((size, size), np.bool_))
    flawed = photograph(Flaw(defect, generator(seed, "flaw", *identity)))
    return Rendering(finish(flawed), finish(normal), defect_mask(flawed, normal))


def defect_mask(flawed: Picture, normal: Picture) -> npt.NDArray[np.bool_]:
    """Where two grainless pictures (S, S, 3) differ visibly; gaps of a pixel or two are closed,
    as a person who draws the outline would.
    """
    differs = (np.abs(flawed - normal).max(axis=2) > VISIBLE).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    return np.asarray(cv2.morphologyEx(differs, cv2.MORPH_CLOSE, kernel) > 0, np.bool_)
