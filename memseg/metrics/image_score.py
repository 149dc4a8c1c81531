"""One score for an image, from its anomaly map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from memseg.errors import SettingError


def image_score(maps: npt.NDArray[np.floating], top_pixels: int) -> npt.NDArray[np.float64]:
    """Mean of the ``top_pixels`` largest pixel scores of each map (section 4.2).

    ``maps``: (..., S, S), one map or many; returns (...), float64. The result depends only on
    the scores, not on where they are. Raises SettingError when a map has fewer pixels.
    """
    pixels = maps.shape[-2] * maps.shape[-1]
    if not 1 <= top_pixels <= pixels:
        raise SettingError(
            f"evaluation.top_pixels must be from 1 to the {pixels} pixels of a "
            f"{maps.shape[-2]}x{maps.shape[-1]} anomaly map, got {top_pixels}"
        )
    flat = maps.reshape(*maps.shape[:-2], pixels)
    largest = np.partition(flat, pixels - top_pixels, axis=-1)[..., pixels - top_pixels :]
    # partition leaves the largest in any order, and a sum depends on it in its last bits
    return np.asarray(np.sort(largest, axis=-1).mean(axis=-1, dtype=np.float64))
