"""The network in PyTorch as what computes anomaly maps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from memseg.evaluation.maps import anomaly_maps
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution


class NetworkBackend:
    """The network in PyTorch, as trials are evaluated."""

    def __init__(self, network: MemSegNet, execution: Execution, size: int) -> None:
        execution.place(network)
        self.network, self.execution, self._size = network, execution, size

    @property
    def size(self) -> int:
        """S: what images are resized to."""
        return self._size

    @property
    def precision(self) -> str:
        """Of its convolutions: "fp32", "bf16"."""
        return self.execution.precision

    @property
    def threads(self) -> int:
        """Of one operation on the CPU."""
        return torch.get_num_threads()

    def maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(B, 3, S, S) uint8 RGB to (B, S, S) float32: the function that trials are judged by."""
        return anomaly_maps(self.network, images, self.execution, batch=max(1, len(images)))
