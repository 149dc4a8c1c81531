"""Work in threads, ahead of who takes it, but not far."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from memseg.prediction.ahead import ahead


def test_results_come_in_order_whatever_takes_longest() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.03 if item == 0 else 0)
        return item * item

    assert list(ahead(slow_first, range(20), threads=4, most=6)) == [i * i for i in range(20)]
    assert list(ahead(slow_first, [], threads=4, most=6)) == []


def test_no_more_is_begun_than_was_allowed_beyond_what_was_taken() -> None:
    begun = []
    found = ahead(lambda item: begun.append(item) or item, iter(range(1000)), threads=3, most=5)  # type: ignore[func-returns-value]
    for taken in range(1, 50):
        next(found)
        assert len(begun) <= taken + 5
    found.close()  # type: ignore[attr-defined]
    assert len(begun) <= 55


def test_items_are_taken_as_they_are_needed() -> None:
    asked = []

    def items() -> Iterator[int]:
        for i in range(1000):
            asked.append(i)
            yield i

    next(ahead(lambda item: item, items(), threads=2, most=4))
    assert len(asked) == 4


def test_an_error_is_raised_in_its_place_and_ends_the_threads() -> None:
    def third_fails(item: int) -> int:
        if item == 2:
            raise ValueError("the third")
        return item

    others = set(threading.enumerate())  # of tests that ran before in this process
    found = ahead(third_fails, range(100), threads=2, most=4)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(found)
    assert not [t for t in set(threading.enumerate()) - others if "ThreadPool" in t.name]


def test_work_goes_on_beside_the_taker() -> None:
    done = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            done.set()
        return item

    found = ahead(work, range(3), threads=1, most=2)
    next(found)
    assert done.wait(5)  # nobody has asked for it yet
    assert list(found) == [1, 2]
