"""Tensors over memory that is shared: no copy, no warning."""

from __future__ import annotations

import numpy as np

from memseg.tensors import tensor_over


def test_an_array_that_must_not_be_written_is_not_copied() -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    array.setflags(write=False)
    found = tensor_over(array)
    assert found.data_ptr() == array.ctypes.data
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]
