"""Large pictures are decoded one at a time: a machine has memory for one, seldom for eight."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from memseg.data.formats.header import UnusableError
from memseg.data.formats.inspect import pixels_of

LARGE_PIXELS = 12_000_000
"""A picture takes up to 9 bytes a pixel while it is decoded and made smaller."""

_ONE = threading.Lock()


@contextlib.contextmanager
def room_for(data: bytes) -> Iterator[None]:
    """Waits until no other large picture of this process is decoded, where ``data`` is of one."""
    with _ONE if _is_large(data) else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def room_for_file(size: int) -> Iterator[bool]:
    """The same for a file of ``size`` bytes that is still to be read; whether it is held then."""
    large = size > LARGE_PIXELS  # bytes: whatever it is, it takes much
    with _ONE if large else contextlib.nullcontext():
        yield large


def _is_large(data: bytes) -> bool:
    try:
        return pixels_of(data) > LARGE_PIXELS
    except UnusableError:  # decoding says why
        return False
