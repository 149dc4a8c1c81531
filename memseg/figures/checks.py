"""What a sheet's arrays must be like. k images, S side in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from memseg.errors import DivergedError


def check_examples(
    images: npt.NDArray[np.uint8],
    titles: Sequence[str],
    most: int,
    maps: npt.NDArray[np.floating] | None = None,
    masks: npt.NDArray[np.bool_] | None = None,
) -> None:
    """``images``: uint8 (k, 3, S, S), 1 <= k <= ``most``; ``maps`` and ``masks``: (k, S, S).

    Raises ValueError for what does not fit, DivergedError for maps that are not finite.
    """
    count, side = len(images), images.shape[-1]
    if images.dtype != np.uint8 or images.shape != (count, 3, side, side):
        raise ValueError(f"images must be uint8 (k, 3, S, S), got {images.dtype} {images.shape}")
    if not 1 <= count <= most:
        raise ValueError(f"a sheet shows from 1 to {most} images, got {count}")
    for name, array in (("maps", maps), ("masks", masks)):
        if array is not None and array.shape != (count, side, side):
            raise ValueError(f"{name} must be {(count, side, side)}, got {array.shape}")
    if len(titles) != count:
        raise ValueError(f"{count} images need as many titles, got {len(titles)}")
    if maps is not None and not np.isfinite(maps).all():
        wrong = titles[int(np.argwhere(~np.isfinite(maps))[0][0])]
        raise DivergedError(
            f"the anomaly map of {wrong!r} has values that are not finite: the network has "
            "diverged; lower optimizer.lr or use precision fp32"
        )
