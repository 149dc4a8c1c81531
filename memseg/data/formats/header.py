"""What the readers of the file formats share."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

MAX_PIXELS = 100_000_000
"""A larger picture is refused before a byte of it is decoded: it would need gigabytes."""


class UnusableError(ValueError):
    """A file cannot be used; the message goes on after its name: "is truncated: ..."."""


@dataclass(frozen=True)
class Header:
    """A picture's format and size as its file says. Raises UnusableError for an impossible size."""

    kind: str
    """PNG, JPEG, BMP, TIFF or WEBP."""
    width: int
    height: int
    alpha: bool = False
    """Of a TIFF: whether a channel may be alpha."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise damaged(f"its header says {self.width} x {self.height} pixels")
        if self.width * self.height > MAX_PIXELS:
            raise UnusableError(
                f"has {self.width} x {self.height} pixels by its header, more than the limit of "
                f"{MAX_PIXELS // 1_000_000} megapixels: crop it or make it smaller"
            )


def truncated(detail: str) -> UnusableError:
    """The end of the file is missing."""
    return UnusableError(f"is truncated: {detail}; copy the file again")


def damaged(detail: str) -> UnusableError:
    """The file contradicts itself."""
    return UnusableError(f"is damaged: {detail}; copy or save the file again")


def unpack(layout: str, data: bytes, offset: int) -> tuple[Any, ...]:
    """``struct.unpack_from``. Raises UnusableError where the file ends before."""
    needed = offset + struct.calcsize(layout)
    if needed > len(data):
        raise truncated(f"it has {len(data)} bytes and should have at least {needed}")
    return struct.unpack_from(layout, data, offset)
