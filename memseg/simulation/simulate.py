"""Simulated anomalies for a batch (section 3.1).

B batch, S side in pixels, T textures. What is random is drawn on the CPU from (seed, step,
position in the global batch); pixels are rendered on the device, all images of a batch at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from memseg.config.method import SimulationConfig
from memseg.errors import DataError, EmptyDataError, SettingError
from memseg.simulation.blending import noise_foreground, superimpose
from memseg.simulation.moved import ATTEMPTS as MOVED_ATTEMPTS
from memseg.simulation.moved import draw_moved, moved_part
from memseg.simulation.perlin import draw_perlin, perlin_noise
from memseg.simulation.randomness import generator
from memseg.simulation.region import LEAST_SHARE
from memseg.simulation.sources import structure_noise, texture_noise
from memseg.simulation.steps import SimulationSteps, SourceDraw, draw_source

ATTEMPTS = 16
"""A mask is drawn so often before its threshold is lowered."""


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
        if not len(positions):
            self._check(images, foregrounds, positions)
            return images, foregrounds.float()
        made = self.steps(images, foregrounds, step, positions)
        return made.anomalous, made.masks

    @torch.no_grad()
    def steps(
        self,
        images: torch.Tensor,
        foregrounds: torch.Tensor,
        step: int,
        positions: Sequence[int],
    ) -> SimulationSteps:
        """The anomalies of a call with the same arguments, B >= 1, and all that they came from."""
        self._check(images, foregrounds, positions)
        # Half precision would move the masks' edges, whatever the caller's network runs in.
        with torch.autocast(self._device.type, enabled=False):
            perlin, levels, found = self._masks(foregrounds, step, positions)
            masks = found.float()
            draws = [
                draw_source(self._config, len(self._textures), self._seed, step, position)
                for position in positions
            ]
            noise = self._noise(images, draws)
            delta = torch.tensor([draw.delta for draw in draws], device=self._device)
            parts = [False] * len(draws)
            for i, draw in enumerate(draws):
                if draw.structure is None:
                    continue
                moved = self._moved(images[i], foregrounds[i], step, positions[i])
                if moved is not None:  # the part is really there: nothing shines through
                    noise[i], masks[i], delta[i] = moved[0], moved[1].float(), 1.0
                    parts[i] = True
            blended = noise_foreground(images, noise, masks, delta)
            return SimulationSteps(
                noise=perlin,
                levels=levels,
                foregrounds=foregrounds,
                masks=masks,
                sources=noise,
                delta=delta,
                blended=blended,
                anomalous=superimpose(images, blended, masks),
                moved=tuple(parts),
                draws=tuple(draws),
            )

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
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Perlin noise, its levels (B,), and (B, S, S) bool: above it within the foreground."""
        masks = torch.zeros_like(foregrounds)
        noise = torch.zeros(foregrounds.shape, device=foregrounds.device)
        levels = noise.new_full((len(positions),), self._config.perlin_threshold)
        left = list(range(len(positions)))
        for attempt in range(ATTEMPTS):
            allowed = foregrounds[left]
            drawn = self._perlin(step, [positions[i] for i in left], attempt, allowed.shape[-1])
            found = (drawn > self._config.perlin_threshold) & allowed
            masks[left], noise[left] = found, drawn
            filled = found.flatten(1).any(1).tolist()
            left = [i for i, done in zip(left, filled) if not done]
            if not left:
                return noise, levels, masks
        noise[left], levels[left], masks[left] = self._lowered(foregrounds, step, positions, left)
        return noise, levels, masks

    def _lowered(
        self, foregrounds: torch.Tensor, step: int, positions: Sequence[int], left: list[int]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Noise, level and mask where it missed a very small foreground again and again.

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
        # The next number below, so that one pixel alone is above its level.
        level = torch.nextafter((low + high) / 2, torch.full_like(low, -torch.inf))
        return noise, level.flatten(), (noise > level) & allowed

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
