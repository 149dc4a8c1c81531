"""Simulated anomalies to look at, with all that they came from (section 3.1, figure 3).

B examples, S side in pixels, T textures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from memseg.config.method import SimulationConfig
from memseg.simulation.simulate import Simulator
from memseg.simulation.steps import SimulationSteps

TEXTURAL, STRUCTURAL, MOVED = "textural", "structural", "moved part"


@dataclass(frozen=True)
class Example:
    """One simulated anomaly. Images are (3, S, S) uint8 RGB, masks (S, S)."""

    kind: str
    """"textural", "structural" or "moved part"."""
    image: npt.NDArray[np.uint8]
    """I."""
    noise: npt.NDArray[np.float32]
    """P: Perlin noise, (S, S) in (-1, 1)."""
    level: float
    """T: above it the noise is masked."""
    binarised: npt.NDArray[np.bool_]
    """M_P."""
    foreground: npt.NDArray[np.bool_]
    """M_I."""
    mask: npt.NDArray[np.bool_]
    """M."""
    source: npt.NDArray[np.uint8]
    """I_n, the noise image."""
    delta: float
    """The noise image's share (eq. 1)."""
    blended: npt.NDArray[np.uint8]
    """I'_n (eq. 1)."""
    anomalous: npt.NDArray[np.uint8]
    """I_A (eq. 2)."""


_NO_STEP = 2**31 - 1
"""No training is that long: what is drawn for it, training has not drawn."""


def simulated_examples(
    images: npt.NDArray[np.uint8],
    foregrounds: npt.NDArray[np.bool_],
    textures: npt.NDArray[np.uint8],
    config: SimulationConfig,
    seed: int,
) -> list[Example]:
    """One anomaly on each image, as training makes them: textural and structural in turn.

    ``images``: (B, 3, S, S) uint8; ``foregrounds``: (B, S, S); ``textures``: (T, 3, S, S) uint8.
    A kind whose share is 0 is left out. Anomalies are drawn as those of training, but they are
    others. Raises what ``Simulator`` raises.
    """
    kinds = [
        share for share, there in ((1.0, config.texture_share > 0), (0.0, config.texture_share < 1))
        if there
    ]  # fmt: skip
    loaded = torch.from_numpy(np.array(textures))
    simulators = [
        Simulator(replace(config, texture_share=share), loaded, seed, "cpu") for share in kinds
    ]
    examples = []
    for place, (image, foreground) in enumerate(zip(images, foregrounds)):
        steps = simulators[place % len(kinds)].steps(
            torch.from_numpy(np.array(image[None])).float() / 255,
            torch.from_numpy(np.array(foreground[None])),
            step=_NO_STEP,
            positions=[place],
        )
        examples.append(_example(image, steps))
    return examples


def simulated_images(examples: list[Example]) -> npt.NDArray[np.uint8]:
    """(B, 3, S, S): the anomalous images alone."""
    return np.stack([example.anomalous for example in examples])


def _example(image: npt.NDArray[np.uint8], steps: SimulationSteps) -> Example:
    kind = TEXTURAL if steps.draws[0].structure is None else STRUCTURAL
    return Example(
        kind=MOVED if steps.moved[0] else kind,
        image=image,
        noise=steps.noise[0].numpy(),
        level=float(steps.levels[0]),
        binarised=steps.binarised[0].numpy(),
        foreground=steps.foregrounds[0].numpy(),
        mask=steps.masks[0].numpy() > 0,
        source=_pixels(steps.sources[0]),
        delta=float(steps.delta[0]),
        blended=_pixels(steps.blended[0]),
        anomalous=_pixels(steps.anomalous[0]),
    )


def _pixels(image: torch.Tensor) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(255 * image.numpy()), np.uint8)
