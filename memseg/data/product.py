"""One category, decoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memseg.data.licence import Licence


@dataclass(frozen=True)
class Product:
    """The images of one category at the network's size, decoded once and shared by all trials.

    n normal training images, m test images, S side in pixels.
    """

    category: str
    train: npt.NDArray[np.uint8]
    """(n, 3, S, S), RGB."""
    train_names: tuple[str, ...]
    """Paths relative to the data root, sorted."""
    train_hashes: tuple[str, ...]
    """sha256 of each file's content, hexadecimal."""
    test: npt.NDArray[np.uint8]
    """(m, 3, S, S), RGB."""
    test_names: tuple[str, ...]
    test_defects: tuple[str, ...]
    """Defect type of each test image; "good" for a normal one."""
    test_labels: npt.NDArray[np.bool_]
    """(m,), True for anomalous; from the folder, not from the mask."""
    masks: npt.NDArray[np.bool_] | None
    """(m, S, S) ground truth, all False for normal images; None where the category has none."""
    train_fingerprint: str
    test_fingerprint: str
    licence: Licence | None = None
    """Of the data; None where no file says."""
