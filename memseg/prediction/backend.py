"""What computes anomaly maps: the network of a version, or another form of the same model.

``memseg.export.onnx_model.OnnxModel`` is one too. A further form is a class with this protocol and
a line in ``memseg.prediction.model.EXPORTED``.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from memseg.evaluation.maps import anomaly_maps
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution


class Backend(Protocol):
    """Images in, anomaly maps out; S side of the input in pixels."""

    @property
    def size(self) -> int:
        """S: what images are resized to."""

    @property
    def precision(self) -> str:
        """Of its convolutions: "fp32", "bf16"."""

    def maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(B, 3, S, S) uint8 RGB to (B, S, S) float32, probabilities of being anomalous."""


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

    def maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(B, 3, S, S) uint8 RGB to (B, S, S) float32: the function that trials are judged by."""
        return anomaly_maps(self.network, images, self.execution, batch=max(1, len(images)))
