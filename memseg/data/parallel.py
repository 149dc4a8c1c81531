"""The same for many files at once: OpenCV, hashing and reading release Python's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from memseg.errors import DataError

T = TypeVar("T")

THREADS = 8
"""More than a small machine's cores: on an object store most of the time is waiting."""


def for_each(function: Callable[[T], None], items: Iterable[T]) -> None:
    """Calls ``function`` with every item, in any order, in eight threads.

    Goes on after a DataError, and at the end raises the one of the first item that had one,
    with the number of the others: whoever repairs a data set wants to know how much is broken.
    Any other error is raised at once.
    """

    def attempt(item: T) -> DataError | None:
        try:
            function(item)
        except DataError as error:
            return error
        return None

    with ThreadPoolExecutor(THREADS) as pool:
        errors = [error for error in pool.map(attempt, items) if error is not None]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise DataError(f"{errors[0]} (and {len(errors) - 1} more files with errors)")
