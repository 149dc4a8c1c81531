"""The plainest detector there is, to hold a trained network against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from memseg.errors import DataError, EmptyDataError


def pixel_baseline(
    test: npt.NDArray[np.uint8], memory: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float64]:
    """How far each test image is from the nearest memory image, by pixels alone.

    test: (m, 3, S, S), memory: (N, 3, S, S), both 0..255. Returns (m,): the smallest mean
    absolute difference to a memory image, in grey levels, 0..255; larger is more anomalous.
    Raises EmptyDataError without memory images, DataError where the shapes or types do not fit.
    """
    for name, images in (("test", test), ("memory", memory)):
        if images.dtype != np.uint8 or images.ndim != 4:
            raise DataError(
                f"the pixel baseline needs {name} images as uint8 (n, 3, S, S), "
                f"got {images.dtype} {images.shape}"
            )
    if len(memory) == 0:
        raise EmptyDataError("the pixel baseline needs at least one memory image, got none")
    if test.shape[1:] != memory.shape[1:]:
        raise DataError(
            f"the pixel baseline compares images of one size: test images are {test.shape[1:]}, "
            f"memory images {memory.shape[1:]}"
        )
    known = memory.astype(np.int16)
    pixels = max(int(np.prod(memory.shape[1:])), 1)
    return np.array(
        [_sums(image.astype(np.int16), known).min() / pixels for image in test], np.float64
    )


def _sums(image: npt.NDArray[np.int16], known: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """(N,), exact sums of absolute differences."""
    return np.array([np.abs(image - one).sum(dtype=np.int64) for one in known])
