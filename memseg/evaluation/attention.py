"""What a network sees on its way to an anomaly map (figure 9).

k images, S side in pixels; a level's maps are (k, H, W).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from memseg.evaluation.batch import BATCH
from memseg.evaluation.maps import anomaly_maps
from memseg.model.attention import attention_maps
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution


@dataclass(frozen=True)
class AttentionSteps:
    """What a network makes of k images on its way from the memory to the anomaly map."""

    differences: tuple[npt.NDArray[np.float32], ...]
    """DI* of levels 1, 2, 3, the mean over channels, each (k, H, W) >= 0, with the factor."""
    attention: tuple[npt.NDArray[np.float32], ...]
    """M1, M2, M3, each (k, H, W) >= 0 (eq. 5-7)."""
    maps: npt.NDArray[np.float32]
    """(k, S, S) in [0, 1]."""
    used: bool
    """Whether the network weights its features by the attention maps."""
    settings: str
    """What the difference was multiplied and divided by, in words."""
    made: str
    """How the attention maps were made, in words."""


def attention_steps(
    network: MemSegNet, images: npt.NDArray[np.uint8], execution: Execution
) -> AttentionSteps:
    """Difference information, attention maps and anomaly maps of ``images``.

    ``images``: (k, 3, S, S) uint8, k >= 1. Raises ValueError for a network without memory.
    """
    network.eval()
    differences: list[list[torch.Tensor]] = []
    attention: list[list[torch.Tensor]] = []
    for start in range(0, len(images), BATCH):
        part = torch.from_numpy(np.array(images[start : start + BATCH]))
        with torch.inference_mode(), execution.autocast():
            found = network.difference_information(execution.images(part))
            maps = attention_maps(found, network.model.m1_from, network.model.attention_mean)
        differences.append([level.mean(1) for level in found])
        attention.append([level.squeeze(1) for level in maps])
    return AttentionSteps(
        differences=_joined(differences),
        attention=_joined(attention),
        maps=anomaly_maps(network, images, execution),
        used=network.model.spatial_attention,
        settings=_settings(network),
        made=_made(network),
    )


def _joined(parts: list[list[torch.Tensor]]) -> tuple[npt.NDArray[np.float32], ...]:
    return tuple(torch.cat(level).float().cpu().numpy() for level in zip(*parts))


def _made(network: MemSegNet) -> str:
    first = "" if network.model.m1_from == "m2" else ", but M1 from M3 (model.m1_from)"
    roots = "" if network.model.attention_mean == "product" else ", roots of their products"
    return f"eq. 5 to 7{first}{roots}"


def _settings(network: MemSegNet) -> str:
    config = network.difference
    divided = {
        "none": "",
        "level": ", divided by what is typical between memory samples at the level",
        "place": ", divided by what is typical between memory samples at the place",
    }[config.normalisation]
    return f"{config.distance}, times {config.factor:g}{divided}"
