"""The score that trials are chosen by: simulated anomalies on held-out normal images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from memseg.config.method import MethodConfig
from memseg.evaluation.maps import anomaly_maps
from memseg.losses.losses import memseg_loss
from memseg.metrics.evaluate import compute_metrics
from memseg.model.network import MemSegNet
from memseg.simulation.synthetic import synthetic_validation
from memseg.training.execution import Execution


@dataclass(frozen=True)
class SyntheticScore:
    """How well a network finds regular shapes of low contrast (section 4.7)."""

    score: float
    """Mean of image and pixel average precision; larger is better."""
    image_ap: float
    pixel_ap: float
    loss: float
    """Mean training loss (eq. 10) over the validation images; breaks ties."""
    images: int


def evaluate_synthetic(
    network: MemSegNet,
    held_out: npt.NDArray[np.uint8],
    config: MethodConfig,
    seed: int,
    execution: Execution,
) -> SyntheticScore | None:
    """The score on ``held_out`` (h, 3, S, S); None where nothing was held out."""
    if not len(held_out):
        return None
    images, masks, labels = synthetic_validation(held_out, config.validation, seed)
    maps = anomaly_maps(network, images, execution)
    found = compute_metrics(
        maps, labels, masks, config.evaluation.top_pixels, config.evaluation.aupro_limit
    ).values
    image_ap, pixel_ap = found["image_ap"], found["pixel_ap"]
    if image_ap is None or pixel_ap is None:  # both classes are there by construction
        raise ValueError("a synthetic validation set needs normal and anomalous images")
    return SyntheticScore(
        score=(image_ap + pixel_ap) / 2,
        image_ap=image_ap,
        pixel_ap=pixel_ap,
        loss=_loss(maps, masks, config),
        images=len(images),
    )


def _loss(
    maps: npt.NDArray[np.float32], masks: npt.NDArray[np.bool_], config: MethodConfig
) -> float:
    """Eq. 10 from probabilities: their logarithms are logits of the same probabilities.

    A probability within rounding of 0 or 1 counts as that far from it (6e-8): nearer, float32
    does not know it.
    """
    nearest = torch.finfo(torch.float32).eps / 2
    p = torch.from_numpy(maps).double().clamp(nearest, 1 - nearest)
    logits = torch.stack([(1 - p).log(), p.log()], dim=1)
    return float(memseg_loss(logits, torch.from_numpy(masks).float(), config.loss).total)
