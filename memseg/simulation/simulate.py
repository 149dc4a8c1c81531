"""Simulated anomalies for a batch (section 3.1).

B batch, S side in pixels, T textures. What is random is drawn on the CPU from (seed, step,
position in the global batch); pixels are rendered on the device, all images of a batch at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from memseg.config.method import SimulationConfig
from memseg.errors import DataError, EmptyDataError, SettingError
from memseg.simulation.blending import noise_foreground, superimpose
from memseg.simulation.moved import ATTEMPTS as MOVED_ATTEMPTS
from memseg.simulation.moved import draw_moved, moved_part
from memseg.simulation.perlin import draw_perlin, perlin_noise
from memseg.simulation.randomness import generator
from memseg.simulation.region import LEAST_SHARE
from memseg.simulation.sources import (
    StructureDraw,
    draw_structure,
    structure_noise,
    texture_noise,
)

ATTEMPTS = 16
"""A mask is drawn so often before its threshold is lowered."""


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


class Simulator:
    """Makes simulated anomalies of normal images; remembers nothing between calls."""

    def __init__(
        self,
        config: SimulationConfig,
        textures: torch.Tensor,
        seed: int,
        device: torch.device | str,
    ) -> None:
        """``textures``: (T, 3, S, S) uint8, kept on ``device``; T may be 0 without textural ones.

        Raises EmptyDataError where textures are needed and absent.
        """
        if textures.ndim != 4 or textures.shape[1] != 3 or textures.dtype != torch.uint8:
            raise ValueError(
                f"textures must be uint8 (T, 3, S, S), got {textures.dtype} {textures.shape}"
            )
        if config.texture_share > 0 and not len(textures):
            raise EmptyDataError(
                f"simulation.texture_share is {config.texture_share} but there is no texture: "
                "give a folder of textures or set it to 0"
            )
        self._config = config
        self._seed = seed
        self._device = torch.device(device)
        self._textures = textures.to(self._device)

    @torch.no_grad()
    def __call__(
        self,
        images: torch.Tensor,
        foregrounds: torch.Tensor,
        step: int,
        positions: Sequence[int],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Anomalies on ``images``, as eq. 1 and 2 have it, and their masks.

        ``images``: (B, 3, S, S) float32 in [0, 1] on the device; ``foregrounds``: (B, S, S) bool,
        where anomalies may be; ``positions``: each image's place in the *global* batch of
        ``step``, so that workers with half of them each see what one with all would see, bit for
        bit. Returns images like ``images``, equal to them outside the masks, and masks (B, S, S)
        float32 in {0, 1}, none of them empty. Raises DataError for an empty foreground and for
        textures of another size.
        """
        self._check(images, foregrounds, positions)
        if not len(positions):
            return images, foregrounds.float()
        # Half precision would move the masks' edges, whatever the caller's network runs in.
        with torch.autocast(self._device.type, enabled=False):
            masks = self._masks(foregrounds, step, positions).float()
            draws = [
                draw_source(self._config, len(self._textures), self._seed, step, position)
                for position in positions
            ]
            noise = self._noise(images, draws)
            delta = torch.tensor([draw.delta for draw in draws], device=self._device)
            for i, draw in enumerate(draws):
                if draw.structure is None:
                    continue
                moved = self._moved(images[i], foregrounds[i], step, positions[i])
                if moved is not None:  # the part is really there: nothing shines through
                    noise[i], masks[i], delta[i] = moved[0], moved[1].float(), 1.0
            foreground = noise_foreground(images, noise, masks, delta)
            return superimpose(images, foreground, masks), masks

    def _check(
        self, images: torch.Tensor, foregrounds: torch.Tensor, positions: Sequence[int]
    ) -> None:
        size = images.shape[-1]
        expected = (len(positions), 3, size, size)
        if images.shape != expected or images.dtype != torch.float32:
            raise ValueError(
                f"images must be float32 {expected}, got {images.dtype} {tuple(images.shape)}"
            )
        if foregrounds.shape != (len(positions), size, size) or foregrounds.dtype != torch.bool:
            raise ValueError(
                f"foregrounds must be bool {(len(positions), size, size)}, "
                f"got {foregrounds.dtype} {tuple(foregrounds.shape)}"
            )
        if len(self._textures) and self._textures.shape[2:] != images.shape[2:]:
            side = self._textures.shape[-1]
            raise DataError(f"the textures have {side} pixels a side, the images {size}")
        if max(self._config.structure_grid) > size:
            raise SettingError(
                f"simulation.structure_grid must have at most {size} rows and columns, as many as "
                f"the image has pixels, got {list(self._config.structure_grid)}"
            )

    def _masks(
        self, foregrounds: torch.Tensor, step: int, positions: Sequence[int]
    ) -> torch.Tensor:
        """(B, S, S) bool: Perlin noise above the threshold, within the foreground (fig. 3)."""
        masks = torch.zeros_like(foregrounds)
        left = list(range(len(positions)))
        for attempt in range(ATTEMPTS):
            allowed = foregrounds[left]
            noise = self._perlin(step, [positions[i] for i in left], attempt, allowed.shape[-1])
            found = (noise > self._config.perlin_threshold) & allowed
            masks[left] = found
            filled = found.flatten(1).any(1).tolist()
            left = [i for i, done in zip(left, filled) if not done]
            if not left:
                return masks
        masks[left] = self._lowered(foregrounds, step, positions, left)
        return masks

    def _lowered(
        self, foregrounds: torch.Tensor, step: int, positions: Sequence[int], left: list[int]
    ) -> torch.Tensor:
        """Masks where the noise missed a very small foreground again and again.

        One last draw each, cut half way between its smallest and largest value in the foreground.
        """
        allowed = foregrounds[left]
        for i, some in zip(left, allowed.flatten(1).any(1).tolist()):
            if not some:
                raise DataError(
                    f"the foreground of the image at position {positions[i]} of step {step} is "
                    "empty, so no anomaly can be simulated on it"
                )
        noise = self._perlin(step, [positions[i] for i in left], ATTEMPTS, allowed.shape[-1])
        low = noise.masked_fill(~allowed, torch.inf).amin((1, 2), keepdim=True)
        high = noise.masked_fill(~allowed, -torch.inf).amax((1, 2), keepdim=True)
        return (noise >= (low + high) / 2) & allowed

    def _perlin(self, step: int, positions: Sequence[int], attempt: int, size: int) -> torch.Tensor:
        exponents = self._config.perlin_exponents
        draws = [
            draw_perlin(generator(self._seed, "anomaly mask", step, p, attempt), exponents, size)
            for p in positions
        ]
        return perlin_noise(draws, size, self._device)

    def _moved(
        self, image: torch.Tensor, allowed: torch.Tensor, step: int, position: int
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Source and mask of a moved part; None where the draw or the image says otherwise."""
        share = self._config.moved_share
        if share == 0 or generator(self._seed, "moved", step, position).random() >= share:
            return None
        for attempt in range(MOVED_ATTEMPTS):
            random = generator(self._seed, "moved part", step, position, attempt)
            source, mask = moved_part(image, allowed, draw_moved(random, self._config.moved_size))
            if mask.sum() >= LEAST_SHARE * mask.numel():
                return source, mask
        return None

    def _noise(self, images: torch.Tensor, draws: Sequence[SourceDraw]) -> torch.Tensor:
        """(B, 3, S, S): the noise image of each anomaly."""
        noise = torch.empty_like(images)
        textural = {i: d.texture for i, d in enumerate(draws) if d.texture is not None}
        structural = {i: d.structure for i, d in enumerate(draws) if d.structure is not None}
        if textural:
            noise[list(textural)] = texture_noise(self._textures, list(textural.values()))
        if structural:
            noise[list(structural)] = structure_noise(
                images[list(structural)], list(structural.values()), self._config.structure_grid
            )
        return noise
