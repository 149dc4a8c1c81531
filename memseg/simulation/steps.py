"""What is drawn for one anomaly, and what the three steps of section 3.1 make of it.

B batch, S side in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from memseg.config.method import SimulationConfig
from memseg.simulation.randomness import generator
from memseg.simulation.sources import StructureDraw, draw_structure


@dataclass(frozen=True)
class SourceDraw:
    """Everything random about one anomaly but its mask."""

    delta: float
    """The noise image's share (eq. 1)."""
    texture: int | None
    """Index of the texture of a textural anomaly."""
    structure: StructureDraw | None
    """Of a structural anomaly; exactly one of the two is there."""


def draw_source(
    config: SimulationConfig, textures: int, seed: int, step: int, position: int
) -> SourceDraw:
    """Draws what fills the mask at one position of a step, from ``textures`` textures."""
    random = generator(seed, "anomaly source", step, position)
    delta = float(random.uniform(*config.transparency))
    if random.random() < config.texture_share:
        return SourceDraw(delta, int(random.integers(textures)), None)
    return SourceDraw(delta, None, draw_structure(random, config))


@dataclass(frozen=True)
class SimulationSteps:
    """What the three steps of figure 3 make of each image of a batch."""

    noise: torch.Tensor
    """P: Perlin noise, (B, S, S) float32 in (-1, 1)."""
    levels: torch.Tensor
    """T: above it noise is masked, (B,); lower than the setting where the noise missed a small
    foreground again and again."""
    foregrounds: torch.Tensor
    """M_I, (B, S, S) bool."""
    masks: torch.Tensor
    """M = M_P * M_I, (B, S, S) float32 in {0, 1}; of a moved part its own."""
    sources: torch.Tensor
    """I_n: the noise image, (B, 3, S, S) float32 in [0, 1]; of a moved part the image moved."""
    delta: torch.Tensor
    """The noise image's share (eq. 1), (B,)."""
    blended: torch.Tensor
    """I'_n (eq. 1), (B, 3, S, S), 0 outside the masks."""
    anomalous: torch.Tensor
    """I_A (eq. 2), (B, 3, S, S)."""
    moved: tuple[bool, ...]
    """Where the anomaly is a moved part, which has no use for the Perlin noise."""
    draws: tuple[SourceDraw, ...]

    @property
    def binarised(self) -> torch.Tensor:
        """M_P: where the noise is above its level, (B, S, S) bool."""
        return self.noise > self.levels[:, None, None]
