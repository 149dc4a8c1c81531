"""Images and ground-truth masks in the network's size."""

from __future__ import annotations

import numpy as np
import pytest

from memseg.data.decoding import decode_image, read_mask, resize_mask
from memseg.errors import DataError
from tests.memseg.data.pictures import Array, chunk, encoded, png, smooth


def reference_area(image: Array, size: int) -> Array:
    """Mean over areas, for sides that are multiples of ``size``."""
    height, width = image.shape[0] // size, image.shape[1] // size
    return np.array(
        [
            [
                image[y * height : (y + 1) * height, x * width : (x + 1) * width].mean(axis=(0, 1))
                for x in range(size)
            ]
            for y in range(size)
        ]
    )


def decode_mask(data: bytes, size: int, shape: tuple[int, int]) -> Array:
    return resize_mask(read_mask(data, "m.png", shape), size)


def test_shrinking_takes_the_mean_of_the_area() -> None:
    image = smooth(48, 64)
    shrunk = decode_image(encoded(image, ".png"), "x", 16).transpose(1, 2, 0)
    assert np.abs(shrunk - reference_area(image, 16)).max() <= 0.5 + 1e-6


def test_a_side_that_shrinks_is_averaged_though_the_other_grows() -> None:
    stripes = np.zeros((8, 256, 3), np.uint8)
    stripes[:, ::2] = 200
    resized = decode_image(encoded(stripes, ".png"), "x", 32)
    assert np.array_equal(np.unique(resized), [100])


def test_the_same_size_changes_nothing() -> None:
    image = smooth(32, 32)
    assert np.array_equal(decode_image(encoded(image, ".png"), "x", 32).transpose(1, 2, 0), image)


def test_growing_is_linear() -> None:
    ramp = np.repeat(np.array([[0, 100]], np.uint8), 2, axis=0)
    assert decode_image(encoded(ramp, ".png"), "x", 4)[0, 0].tolist() == [0, 25, 75, 100]


@pytest.mark.parametrize("full", [255, 65535])
def test_a_mask_is_positive_above_half(full: int) -> None:
    kind = np.uint8 if full == 255 else np.uint16
    grey = np.array([[0, full // 2], [full // 2 + 1, full]], kind)
    assert decode_mask(encoded(grey, ".png"), 2, (2, 2)).tolist() == [[False, False], [True, True]]


def test_a_coloured_mask_counts_by_its_brightest_channel() -> None:
    palette = chunk(b"PLTE", bytes([0, 0, 0, 128, 0, 0]))
    assert (
        decode_mask(png(2, 2, 8, 3, b"\0\0\1" * 2, palette), 2, (2, 2)).tolist()
        == [[False, True]] * 2
    )


def test_an_empty_mask_is_a_mask() -> None:
    assert not decode_mask(encoded(np.zeros((4, 4), np.uint8), ".png"), 4, (4, 4)).any()


def test_a_mask_of_zeros_and_ones_is_refused() -> None:
    with pytest.raises(DataError, match=r"mask m\.png has values up to 1.*save it with 0 and 255"):
        decode_mask(encoded(np.eye(4, dtype=np.uint8), ".png"), 4, (4, 4))


def test_a_mask_of_another_size_is_refused() -> None:
    data = encoded(np.zeros((24, 40), np.uint8), ".png")
    assert decode_mask(data, 8, (24, 40)).shape == (8, 8)
    with pytest.raises(DataError, match=r"mask m\.png is 40 x 24 pixels, its image is 24 x 40"):
        decode_mask(data, 8, (40, 24))


def test_a_mask_with_transparent_pixels_is_refused() -> None:
    opaque = b"\0" + bytes([255, 255, 255, 255, 0, 0, 0, 255])
    assert decode_mask(png(2, 2, 8, 6, opaque * 2), 2, (2, 2)).tolist() == [[True, False]] * 2
    clear = b"\0" + bytes([255, 255, 255, 255, 255, 255, 255, 0])
    with pytest.raises(DataError, match=r"mask m\.png has transparent pixels"):
        decode_mask(png(2, 2, 8, 6, clear * 2), 2, (2, 2))


def test_a_mask_is_resized_to_the_nearest_pixel() -> None:
    grey = np.zeros((9, 9), np.uint8)
    grey[4, 4] = 255  # the centre of the middle block of 3 x 3
    expected = np.zeros((3, 3), np.bool_)
    expected[1, 1] = True
    assert np.array_equal(decode_mask(encoded(grey, ".png"), 3, (9, 9)), expected)
