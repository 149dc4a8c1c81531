"""What computes anomaly maps: the network of a version, or another form of the same model.

``memseg.prediction.network_backend.NetworkBackend`` is one, ``memseg.export.onnx_model.OnnxModel``
another. A further form is a class with this protocol and a line in
``memseg.prediction.loading.EXPORTED``.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Backend(Protocol):
    """Images in, anomaly maps out; S side of the input in pixels."""

    @property
    def size(self) -> int:
        """S: what images are resized to."""

    @property
    def precision(self) -> str:
        """Of its convolutions: "fp32", "bf16"."""

    @property
    def threads(self) -> int:
        """Of one operation on the CPU."""

    def maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(B, 3, S, S) uint8 RGB to (B, S, S) float32, probabilities of being anomalous."""
