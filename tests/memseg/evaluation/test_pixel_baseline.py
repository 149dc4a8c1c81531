"""The plain baseline against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memseg.errors import DataError, EmptyDataError
from memseg.evaluation.baseline import pixel_baseline


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), m=st.integers(0, 4), n=st.integers(1, 4), side=st.integers(1, 5))
def test_it_is_the_smallest_mean_absolute_difference(seed, m, n, side):
    random = np.random.default_rng(seed)
    test = random.integers(0, 256, (m, 3, side, side), dtype=np.uint8)
    memory = random.integers(0, 256, (n, 3, side, side), dtype=np.uint8)
    expected = [
        min(np.mean(np.abs(image.astype(float) - known.astype(float))) for known in memory)
        for image in test
    ]
    scores = pixel_baseline(test, memory)
    assert scores.dtype == np.float64
    assert scores.shape == (m,)
    assert scores == pytest.approx(np.array(expected), abs=1e-12)


def test_an_image_of_the_memory_scores_zero_and_the_opposite_extreme_255():
    memory = np.zeros((2, 3, 4, 4), np.uint8)
    memory[1] = 7
    test = np.stack([memory[1], np.full((3, 4, 4), 255, np.uint8)])
    assert pixel_baseline(test, memory).tolist() == [0.0, 248.0]


def test_no_memory_is_an_error():
    with pytest.raises(EmptyDataError, match="at least one memory image"):
        pixel_baseline(np.zeros((1, 3, 4, 4), np.uint8), np.zeros((0, 3, 4, 4), np.uint8))


def test_images_of_another_size_or_type_are_an_error():
    images = np.zeros((1, 3, 4, 4), np.uint8)
    with pytest.raises(DataError, match=r"test images are \(3, 5, 5\), memory images \(3, 4, 4\)"):
        pixel_baseline(np.zeros((1, 3, 5, 5), np.uint8), images)
    with pytest.raises(DataError, match="memory images as uint8"):
        pixel_baseline(images, images.astype(np.float32))
