"""A trained network on the toy dataset (section 4.7, table 6).

m normal test images, k toy images made of them, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from memseg.config.method import MethodConfig
from memseg.evaluation.maps import anomaly_maps
from memseg.metrics.evaluate import compute_metrics
from memseg.model.network import MemSegNet
from memseg.simulation.shapes import SHAPES
from memseg.simulation.toy import ToySet
from memseg.training.execution import Execution

Selection = Literal["synthetic", "test"] | None
"""What the network, or the step of its run, was chosen by; None: nothing was chosen."""


@dataclass(frozen=True)
class ShapeScore:
    """Toy images of one shape beside all normal images."""

    images: int
    image_auroc: float
    pixel_auroc: float


@dataclass(frozen=True)
class ToyScore:
    """A row of table 6. AUROCs are fractions in [0, 1]."""

    image_auroc: float
    """m normal test images against k toy images."""
    pixel_auroc: float
    """Over all pixels of both."""
    image_ap: float
    pixel_ap: float
    """Average precisions: AUROC is near 1 here for any good network."""
    normal_images: int
    toy_images: int
    per_shape: Mapping[str, ShapeScore]
    """By name; shapes that no toy image has are left out."""
    selection: Selection
    """What the network was chosen by."""
    moved_share: float
    """simulation.moved_share that it was trained with."""

    @property
    def shapes_used_for_selection(self) -> bool:
        """Whether the network was chosen by how well it finds these six shapes."""
        return self.selection == "synthetic"

    @property
    def note(self) -> str:
        """What a reader of the row must know, in one or two sentences."""
        names = ", ".join(SHAPES)
        if self.shapes_used_for_selection:
            said = (
                "The network, or the step of its run, was chosen among others by the same six "
                f"shapes ({names}), smaller and nearly transparent, on held-out training images: "
                "it was selected on them, not trained on them."
            )
        else:
            said = f"The six shapes ({names}) were used neither in training nor for selection."
        if self.moved_share > 0:
            said += (
                f" It was trained with simulation.moved_share {self.moved_share:g}: the outlines "
                "of moved parts are ellipses and rounded rectangles, which are regular too."
            )
        return said


def evaluate_toy(
    network: MemSegNet,
    normal: npt.NDArray[np.uint8],
    toy: ToySet,
    config: MethodConfig,
    execution: Execution,
    selection: Selection,
) -> ToyScore:
    """Scores of ``network`` on normal test images and the toy images made of them.

    ``normal``: (m, 3, S, S) uint8; ``toy``: ``toy_set(normal, seed)``; ``config``: what the
    network was trained with; ``selection``: what it was chosen by among others, for the row to
    say so. Raises DivergedError for maps that are not finite, SettingError for more top pixels
    than a map has.
    """
    maps = np.concatenate(
        [anomaly_maps(network, images, execution) for images in (normal, toy.images)]
    )
    m = len(normal)
    whole = _score(maps, toy.masks, m, config)
    shapes = np.array(toy.shapes)
    per_shape = {}
    for name in SHAPES:
        chosen = shapes == name
        if chosen.any():
            kept = np.concatenate([np.ones(m, np.bool_), chosen])
            found = _score(maps[kept], toy.masks[chosen], m, config)
            per_shape[name] = ShapeScore(
                int(chosen.sum()), found["image_auroc"], found["pixel_auroc"]
            )
    return ToyScore(
        **whole,
        normal_images=m,
        toy_images=len(toy.images),
        per_shape=per_shape,
        selection=selection,
        moved_share=config.simulation.moved_share,
    )


def _score(
    maps: npt.NDArray[np.float32], shapes: npt.NDArray[np.bool_], normal: int, config: MethodConfig
) -> dict[str, float]:
    """Metrics of ``normal`` maps without an anomaly, then of those with ``shapes``."""
    masks = np.concatenate([np.zeros((normal, *maps.shape[1:]), np.bool_), shapes])
    labels = np.arange(len(maps)) >= normal
    settings = config.evaluation
    found = compute_metrics(maps, labels, masks, settings.top_pixels, settings.aupro_limit).values
    scores = {}
    for name in ("image_auroc", "pixel_auroc", "image_ap", "pixel_ap"):
        value = found[name]
        if value is None:  # both classes are there by construction
            raise ValueError("a toy set needs normal and toy images")
        scores[name] = value
    return scores
