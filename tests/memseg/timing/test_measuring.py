"""How runs are timed, with a clock of the test."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from memseg.timing.measuring import LEAST_RUNS, WARM_UP, time_batches
from memseg.timing.subject import Subject, report_of


class Fake:
    """A backend that has memory for ``most`` images."""

    size, precision, threads = 32, "fp32", 1

    def __init__(self, most: int, error: Exception | None = None) -> None:
        self.calls: list[int] = []
        self._most = most
        self._error = error or RuntimeError("CUDA out of memory")

    def maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        assert images.shape[1:] == (3, 32, 32)
        assert images.std() > 0
        if len(images) > self._most:
            raise self._error
        self.calls.append(len(images))
        return np.zeros((len(images), 32, 32), np.float32)


def test_each_batch_is_warmed_up_and_run_often_enough_and_long_enough() -> None:
    ticks = itertools.count(0.0, 0.25)  # a run takes 0.25 s
    backend, told = Fake(99), []
    short, long = time_batches(backend, (1, 4), 2.0, told.append, lambda: next(ticks))
    assert short.seconds == long.seconds == (0.25,) * 8
    assert backend.calls == [1] * (8 + WARM_UP) + [4] * (8 + WARM_UP)
    assert told == [1, 4]
    (least,) = time_batches(backend, (2,), 0.0, clock=lambda: next(ticks))
    assert len(least.seconds) == LEAST_RUNS


@pytest.mark.parametrize("error", [None, MemoryError()])
def test_a_batch_without_memory_has_no_runs_and_ends_the_search(error: Exception | None) -> None:
    found = time_batches(Fake(2, error), (1, 2, 4, 8), 0.0)
    assert [b.batch for b in found] == [1, 2, 4]
    assert [bool(b.seconds) for b in found] == [True, True, False]


def test_another_error_is_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        time_batches(Fake(1, RuntimeError("a defect")), (2,), 0.0)


def test_of_what_is_no_network_the_speed_alone_is_known() -> None:
    report = report_of(Subject("screw, exported", Fake(9)), time_batches(Fake(9), (1,), 0.0))
    assert (report.precision, report.size, report.device) == ("fp32", 32, "cpu")
    assert report.best is not None
    assert report.trained_parameters is report.memory_samples is None
    assert not report.flops
