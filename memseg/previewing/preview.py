"""A picture of a product's simulation, and what can be said about it in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from memseg.config.method import ForegroundConfig, MethodConfig
from memseg.figures.simulation import simulation_figure
from memseg.previewing.images import NormalImages
from memseg.simulation.examples import simulated_examples
from memseg.simulation.foreground import foreground_masks, resolved_foreground
from memseg.simulation.randomness import generator


@dataclass(frozen=True)
class Preview:
    """What the command writes and prints."""

    png: bytes = field(repr=False)
    said: tuple[str, ...]
    """Lines for the terminal."""


def make_preview(
    images: NormalImages,
    textures: npt.NDArray[np.uint8],
    config: MethodConfig,
    rows: int,
    seed: int,
    notes: Sequence[str] = (),
) -> Preview:
    """The steps of simulation on ``rows`` of ``images``, textural and structural in turn.

    ``textures``: (T, 3, S, S) uint8; ``notes``: written in both, for example where settings are
    from. With a foreground mask, the images whose masks are smallest
    and largest come first: where a mask is wrong it is mostly one of these; the others are drawn
    from ``seed``. Raises DataError for an image of which no foreground is left.
    """
    foreground = resolved_foreground(images.pixels, config.foreground)
    masks = foreground_masks(images.pixels, foreground, images.names).numpy()
    shares = masks.mean((1, 2))
    chosen = shown(shares, foreground.mode != "off", rows, seed)
    examples = simulated_examples(
        images.pixels[chosen], masks[chosen], textures, config.simulation, seed
    )
    about = _about(images, config.foreground, foreground, shares)
    titles = [images.names[i] for i in chosen]
    return Preview(
        png=simulation_figure(examples, titles, (*about, *notes)),
        said=(*about, *notes, *(f"unreadable: {reason}" for reason in images.unreadable)),
    )


def shown(shares: npt.NDArray[np.float64], masked: bool, rows: int, seed: int) -> list[int]:
    """Indices of the images that are shown. Pure.

    ``shares``: of each image, how much of it is foreground; ``masked``: whether there is a mask.
    """
    order = [int(i) for i in generator(seed, "preview images").permutation(len(shares))]
    extremes = [int(shares.argmin()), int(shares.argmax())] if masked else []
    return list(dict.fromkeys([*extremes, *order]))[:rows]


def _about(
    images: NormalImages,
    asked: ForegroundConfig,
    used: ForegroundConfig,
    shares: npt.NDArray[np.float64],
) -> tuple[str, ...]:
    read = f"{len(images.names)} of {images.found} images in {images.location}"
    decided = ""
    if asked.mode == "auto":
        decided = (
            f" (foreground.mode auto decided {used.mode} on these images; training decides on "
            "those that it trains on)"
        )
    if used.mode == "off":
        return (f"{read}; foreground: the whole image{decided}",)
    small, large = int(shares.argmin()), int(shares.argmax())
    return (
        f"{read}; foreground.mode {used.mode}{decided}, polarity {used.polarity}: "
        f"{np.median(shares):.0%} of the image in the middle, from {shares[small]:.0%} "
        f"({images.names[small]}) to {shares[large]:.0%} ({images.names[large]})",
    )
