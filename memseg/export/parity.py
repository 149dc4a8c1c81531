"""Whether an exported file computes what its network computes, on real images.

The memory sample is chosen by a comparison (eq. 4). Where two are equally near to rounding, both
choices are right and their maps may differ much; such images are counted, not compared.

B images, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memseg.errors import ExportError
from memseg.export.onnx_model import OnnxModel
from memseg.metrics.image_score import image_score
from memseg.model.difference import choose, smooth
from memseg.model.network import MemSegNet

LIMIT = 1e-3
"""Largest difference of a pixel's probability where both choose the same memory samples."""
ROUNDING = 1e-3
"""Margins above it are no rounding: there another choice is a wrong search."""
BATCH = 8


@dataclass(frozen=True)
class Differing:
    """An image for which the two choose different memory samples."""

    name: str
    margin: float
    """The largest of the levels that differ, see memseg.export.search."""


@dataclass(frozen=True)
class Parity:
    """An exported file beside its network."""

    images: int
    largest: float
    """Difference of any pixel's probability where both choose the same; 0 where none do."""
    differing: tuple[Differing, ...]
    least_margin: float | None
    """Of all images and levels; 0: two memory samples are equally near. None without memory."""
    largest_score: float = 0.0
    """Difference of any image's score from the rule's of the file's own map; all images."""

    @property
    def same(self) -> int:
        """Images for which both choose the same memory samples at all levels."""
        return self.images - len(self.differing)

    @property
    def problem(self) -> str:
        """Why the file must not be used; "" where it computes the same."""
        wrong = [d for d in self.differing if not d.margin <= ROUNDING]
        if not self.images:
            return "there were no images to compare"
        if wrong:
            return (
                f"it chooses another memory sample for {len(wrong)} images where the nearest is "
                f"clear, for {wrong[0].name} by a margin of {wrong[0].margin:.2g} (limit "
                f"{ROUNDING:.0e})"
            )
        if not self.same:
            return "it chooses another memory sample for every image, so no map can be compared"
        if not self.largest <= LIMIT:  # NaN too
            return (
                f"its anomaly maps differ from PyTorch's by up to {self.largest:.2g} (limit "
                f"{LIMIT:.0e})"
            )
        if not self.largest_score <= LIMIT:
            return (
                f"its image scores differ from those of its own anomaly maps by up to "
                f"{self.largest_score:.2g} (limit {LIMIT:.0e})"
            )
        return ""

    def to_json(self) -> dict[str, Any]:
        """For the file's metadata."""
        return {
            "images": self.images,
            "same_choice": self.same,
            "other_choice": [{"image": d.name, "margin": d.margin} for d in self.differing],
            "least_margin": self.least_margin,
            "largest_difference": self.largest,
            "largest_difference_of_scores": self.largest_score,
            "limit": LIMIT,
            "against": f"torch {torch.__version__}, fp32",
        }

    def __str__(self) -> str:
        margins = ", ".join(f"{d.margin:.2g}" for d in self.differing)
        others = f"{len(self.differing)} with others{margins and f' (margins {margins})'}"
        least = "" if self.least_margin is None else f", smallest margin {self.least_margin:.2g}"
        return (
            f"{self.images} images compared with PyTorch: {self.same} with the same memory "
            f"samples{least}, {others}; largest difference of an anomaly map {self.largest:.2g}, "
            f"of an image score {self.largest_score:.2g} (limit {LIMIT:.0e})"
        )


def check_parity(
    network: MemSegNet, model: OnnxModel, images: npt.NDArray[np.uint8], names: Sequence[str]
) -> Parity:
    """Compares the two on ``images``, (B, 3, S, S) uint8, with their ``names`` for messages.

    ``network``: on the CPU in fp32 and eval mode, as ``restore_network`` gives it. Raises
    ExportError for a network that is not.
    """
    weight = next(network.parameters())
    if network.training or weight.dtype != torch.float32 or weight.device.type != "cpu":
        raise ExportError("an export is compared with its network on the CPU, in fp32, eval mode")
    parts = [
        _compare(network, model, images[start : start + BATCH], names[start : start + BATCH])
        for start in range(0, len(images), BATCH)
    ]
    margins = [part.least_margin for part in parts if part.least_margin is not None]
    return Parity(
        images=len(images),
        # numpy's maximum keeps NaN, Python's may lose it.
        largest=float(np.max([part.largest for part in parts], initial=0.0)),
        differing=tuple(d for part in parts for d in part.differing),
        least_margin=min(margins) if margins else None,
        largest_score=float(np.max([part.largest_score for part in parts], initial=0.0)),
    )


@torch.no_grad()
def _compare(
    network: MemSegNet, model: OnnxModel, images: npt.NDArray[np.uint8], names: Sequence[str]
) -> Parity:
    exported = model.run(images)
    shown = torch.from_numpy(np.array(images)).float() / 255
    of_maps = compared(
        network.anomaly_map(shown).numpy(),
        choice(network, shown),
        exported.maps,
        exported.samples,
        exported.margins,
        names,
    )
    gaps = np.abs(image_score(exported.maps, model.top_pixels) - exported.scores)
    return replace(of_maps, largest_score=float(np.max(gaps, initial=0.0)))


def compared(
    maps: npt.NDArray[np.float32],
    samples: npt.NDArray[np.int64] | None,
    exported_maps: npt.NDArray[np.float32],
    exported_samples: npt.NDArray[np.int64] | None,
    margins: npt.NDArray[np.float32] | None,
    names: Sequence[str],
) -> Parity:
    """Maps (B, S, S), samples (B, 3) and margins (B, 3) of the same images. Pure."""
    if (samples is None) != (exported_samples is None):
        raise ExportError("one of the network and its export has a memory, the other has none")
    gaps = np.abs(maps - exported_maps).max((1, 2))
    if samples is None or exported_samples is None or margins is None:
        return Parity(len(maps), float(np.max(gaps, initial=0.0)), (), None)
    others = samples != exported_samples
    unlike = others.any(1)
    differing = tuple(
        Differing(names[int(i)], float(margins[i][others[i]].max())) for i in np.flatnonzero(unlike)
    )
    largest = float(np.max(gaps[~unlike], initial=0.0))
    return Parity(len(maps), largest, differing, float(margins.min()) if len(maps) else None)


@torch.no_grad()
def choice(network: MemSegNet, images: torch.Tensor) -> npt.NDArray[np.int64] | None:
    """The memory samples that the network itself chooses, (B, 3); None without memory.

    ``images``: as the network takes them.
    """
    if network.memory is None:
        return None
    config = network.difference
    query = [smooth(level, config.smoothing) for level in network.trunk(images)[1]]
    memory, _ = network.memory(network.trunk)
    return torch.stack(choose(query, memory, config), 1).numpy()
