"""Anomaly maps of many images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from memseg.evaluation.batch import BATCH
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution


def anomaly_maps(
    network: MemSegNet,
    images: npt.NDArray[np.uint8],
    execution: Execution,
    batch: int = BATCH,
) -> npt.NDArray[np.float32]:
    """Probability of being anomalous for each pixel, (m, S, S) in [0, 1].

    ``images``: (m, 3, S, S) uint8.
    """
    network.eval()
    maps = np.zeros((len(images), *images.shape[2:]), np.float32)
    with torch.inference_mode(), execution.autocast():
        for start in range(0, len(images), batch):
            part = torch.from_numpy(np.array(images[start : start + batch]))
            found = network.anomaly_map(execution.images(part))
            maps[start : start + batch] = found.float().cpu().numpy()
    return maps
