"""Sheets, read back from their PNG."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

OUTLINE = (0x19, 0xE3, 0xC2)


def read(png: bytes) -> npt.NDArray[np.int64]:
    """(height, width, 3) RGB."""
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(decoded[..., ::-1].astype(np.int64))


def count_like(sheet: npt.NDArray[np.int64], colour: tuple[int, int, int]) -> int:
    """Pixels near a colour."""
    return int((np.abs(sheet - colour).max(axis=-1) < 12).sum())
