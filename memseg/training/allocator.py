"""Memory of CPU tensors that stays with the process between steps.

glibc gives a large block back to the system when it is freed, and the next step has each of its
pages faulted in and zeroed again: 600,000 pages in a step of batch 8 (bench_allocator measures).
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Parameters of mallopt(3), as in glibc's malloc.h."""
_NEVER = 2**31 - 1
_AT_ONCE = 2**28
"""Bytes by which the heap grows: fewer calls for a step's tensors of 10 to 100 MB."""


def keep_freed_memory() -> bool:
    """Lets this process keep what its tensors free; False where there is no glibc to be told.

    For processes that train on the CPU: their resident memory stays at its peak until they end.
    Changes no result. The environment's MALLOC_ variables say the same for a whole process; this
    also reaches workers that Ray has started.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False  # musl has no such settings
    told = [
        library.mallopt(_MMAP_MAX, 0),
        library.mallopt(_TRIM_THRESHOLD, _NEVER),
        library.mallopt(_TOP_PAD, _AT_ONCE),
    ]
    return all(told)
