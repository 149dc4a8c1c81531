"""The same for many things, in threads, in order, and never far ahead of who uses it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(function: Callable[[T], R], items: Iterable[T], threads: int, most: int) -> Iterator[R]:
    """``function`` of each item, in the items' order, from ``threads`` threads.

    At most ``most`` results are made or in the making beyond those that were taken: memory does
    not grow with the number of items, however slow the taker is. The first error that a call
    raises is raised where its result would be, and nothing more is begun.
    """
    with ThreadPoolExecutor(max(1, threads)) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= max(1, most):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
