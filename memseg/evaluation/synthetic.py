"""The score that trials are chosen by: simulated anomalies on held-out normal images."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from memseg.config.method import MethodConfig
from memseg.evaluation.batch import BATCH
from memseg.evaluation.maps import anomaly_maps
from memseg.losses.losses import memseg_loss
from memseg.metrics.evaluate import compute_metrics
from memseg.model.network import MemSegNet
from memseg.simulation.synthetic import synthetic_validation, turned_validation
from memseg.training.execution import Execution

NORMAL, SHAPES, TURNED = "normal", "shapes", "turned"


@dataclass(frozen=True)
class SyntheticScore:
    """How well a network finds anomalies that it was not trained on, on held-out images."""

    score: float
    """Mean of image and pixel average precision; larger is better."""
    image_ap: float
    """Mean over the kinds of anomalies."""
    pixel_ap: float
    loss: float
    """Mean training loss (eq. 10) over the validation images; breaks ties."""
    images: int
    parts: Mapping[str, Mapping[str, float]]
    """Kind of anomaly to its image_ap and pixel_ap: "shapes" of low contrast (section 4.7), and
    "turned" parts where there are any."""


@dataclass(frozen=True)
class SyntheticMaps:
    """Anomaly maps of the h held-out images as they are, then of k - h with simulated anomalies."""

    maps: npt.NDArray[np.float32]
    """(k, S, S) in [0, 1]."""
    masks: npt.NDArray[np.bool_]
    """(k, S, S), all False for the first h."""
    kinds: npt.NDArray[np.str_]
    """(k,), "normal", "shapes" or "turned"."""

    @property
    def labels(self) -> npt.NDArray[np.bool_]:
        """(k,), True for anomalous."""
        return np.asarray(self.kinds != NORMAL)


def evaluate_synthetic(
    network: MemSegNet,
    held_out: npt.NDArray[np.uint8],
    config: MethodConfig,
    seed: int,
    execution: Execution,
    batch: int = BATCH,
) -> SyntheticScore | None:
    """The score on ``held_out`` (h, 3, S, S); None where nothing was held out."""
    found = synthetic_maps(network, held_out, config, seed, execution, batch)
    return None if found is None else score_maps(found, config)


def synthetic_maps(
    network: MemSegNet,
    held_out: npt.NDArray[np.uint8],
    config: MethodConfig,
    seed: int,
    execution: Execution,
    batch: int = BATCH,
) -> SyntheticMaps | None:
    """Maps of the validation images made of ``held_out`` (h, 3, S, S); None for h = 0."""
    if not len(held_out):
        return None
    images, masks, labels = synthetic_validation(held_out, config.validation, seed)
    maps = anomaly_maps(network, images, execution, batch)
    kinds = [SHAPES if anomalous else NORMAL for anomalous in labels]
    if config.validation.turned:
        images, more = turned_validation(held_out, config.validation, seed)
        maps = np.concatenate([maps, anomaly_maps(network, images, execution, batch)])
        masks = np.concatenate([masks, more])
        kinds += [TURNED] * len(more)
    return SyntheticMaps(maps, masks, np.array(kinds))


def score_maps(found: SyntheticMaps, config: MethodConfig) -> SyntheticScore:
    """Each kind of anomaly is judged beside all held-out images as they are."""
    parts = {}
    for kind in (SHAPES, TURNED):
        if kind in found.kinds:
            chosen = np.isin(found.kinds, (NORMAL, kind))
            parts[kind] = _precisions(
                found.maps[chosen], found.labels[chosen], found.masks[chosen], config
            )
    image_ap, pixel_ap = (
        statistics.fmean(part[name] for part in parts.values()) for name in ("image_ap", "pixel_ap")
    )
    return SyntheticScore(
        score=(image_ap + pixel_ap) / 2,
        image_ap=image_ap,
        pixel_ap=pixel_ap,
        loss=_loss(found.maps, found.masks, config),
        images=len(found.maps),
        parts=parts,
    )


def _precisions(
    maps: npt.NDArray[np.float32],
    labels: npt.NDArray[np.bool_],
    masks: npt.NDArray[np.bool_],
    config: MethodConfig,
) -> dict[str, float]:
    settings = config.evaluation
    found = compute_metrics(maps, labels, masks, settings.top_pixels, settings.aupro_limit).values
    precisions = {}
    for name in ("image_ap", "pixel_ap"):
        value = found[name]
        if value is None:  # both classes are there by construction
            raise ValueError("a synthetic validation set needs normal and anomalous images")
        precisions[name] = value
    return precisions


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
