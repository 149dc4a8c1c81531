"""When a storage error is worth waiting for, and how long. Decisions are pure.

A network file system or an object store that restarts answers again after seconds; a missing
file, a missing right or a full disk does not.
"""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""Seconds for which one operation is tried again before its error counts."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 15.0

_PASSING_ERRNO = frozenset({
    errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT,
    errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EPIPE, errno.EHOSTDOWN,
    errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.EREMOTEIO, errno.ENOTCONN,
})  # fmt: skip
_PASSING_WORDS = (
    "NETWORK_CONNECTION", "SLOW_DOWN", "THROTTLING", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE",
    "REQUEST_TIMEOUT", "HTTP status 429", "HTTP status 5", "curlCode", "timed out", "Timeout",
    "Connection reset", "Connection refused",
)  # fmt: skip
"""What pyarrow's object stores write into an OSError without a number of its own."""


def is_passing(error: OSError) -> bool:
    """Whether the same operation may succeed a little later."""
    if isinstance(error, (FileNotFoundError, FileExistsError, PermissionError)):
        return False
    if isinstance(error, (ConnectionError, TimeoutError)) or error.errno in _PASSING_ERRNO:
        return True
    return not error.errno and any(word in str(error) for word in _PASSING_WORDS)


def waits(patience_s: float, jitter: Callable[[], float] = random.random) -> Iterator[float]:
    """Seconds to wait before each further try: doubled each time, together ``patience_s``.

    ``jitter``: in [0, 1); a hundred workers that lost one store must not come back at once.
    """
    left, wait = patience_s, _FIRST_WAIT_S
    while left > 0:
        now = min(wait * (0.75 + 0.5 * jitter()), left)
        yield now
        left -= now
        wait = min(2 * wait, _LONGEST_WAIT_S)


def patiently(operation: Callable[[], T], sleep: Callable[[float], None] | None = None) -> T:
    """What ``operation`` returns, tried again while its errors are passing ones.

    Raises the last OSError when patience is used up, any other one at once.
    """
    for wait in waits(PATIENCE_S):
        try:
            return operation()
        except OSError as error:
            if not is_passing(error):
                raise
        (sleep or time.sleep)(wait)
    return operation()
