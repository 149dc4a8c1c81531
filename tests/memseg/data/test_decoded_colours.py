"""Which colours come out of a file, and which kinds of values are refused."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from memseg.data.decoding import decode_image, read_image
from memseg.errors import DataError
from tests.memseg.data.pictures import RED_GREEN, Array, chunk, encoded, pillow, png, smooth


def test_an_interlaced_png_is_read() -> None:
    # Adam7 of 1 x 1 has one pass of one pixel; 3 x 3 has more. Pillow cannot write them.
    assert read_image(interlaced(RED_GREEN), "i.png").tolist() == RED_GREEN.tolist()


def interlaced(image: Array) -> bytes:
    rows = b""
    for x, y, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                         (1, 0, 2, 2), (0, 1, 1, 2)):  # fmt: skip
        for row in image[y::dy, x::dx]:
            rows += b"\0" + row.tobytes() if row.size else b""
    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    )


def test_colours_are_rgb_and_channels_come_first() -> None:
    image = decode_image(encoded(RED_GREEN, ".png"), "x", 2)
    assert image.dtype == np.uint8
    assert image.transpose(1, 2, 0).tolist() == RED_GREEN.tolist()


def test_grey_becomes_three_equal_channels() -> None:
    rows = b"\0\x07\xc8" * 2
    assert read_image(png(2, 2, 8, 0, rows), "x").tolist() == [[[7] * 3, [200] * 3]] * 2


def test_alpha_is_dropped() -> None:
    rows = b"\0" + bytes([200, 10, 30, 0, 20, 220, 40, 128])
    assert read_image(png(2, 2, 8, 6, rows * 2), "x").tolist() == RED_GREEN.tolist()


def test_a_palette_becomes_its_colours() -> None:
    palette = chunk(b"PLTE", RED_GREEN[0].tobytes())
    assert read_image(png(2, 2, 8, 3, b"\0\0\1" * 2, palette), "x").tolist() == RED_GREEN.tolist()


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_16_bits_become_8_by_their_upper_byte(ending: str) -> None:
    values = np.array([[0, 255, 256, 4095], [4096, 32767, 32768, 65535]], np.uint16)
    image = read_image(encoded(values, ending), "x")
    assert image[..., 0].tolist() == [[0, 0, 1, 15], [16, 127, 128, 255]]


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_12_bit_values_in_16_bits_are_refused(ending: str) -> None:
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    with pytest.raises(DataError, match=r"cam/7\.png has 16 bits.*above 4095.*times 16"):
        decode_image(encoded(values, ending), "cam/7.png", 64)
    assert decode_image(encoded(values * 16, ending), "cam/7.png", 64).max() == 255


def test_cmyk_is_refused() -> None:
    for kind in ("JPEG", "TIFF"):
        data = pillow(Image.fromarray(smooth()).convert("CMYK"), kind)
        with pytest.raises(DataError, match=f"x.img is a CMYK {kind}"):
            read_image(data, "x.img")


def test_floating_point_and_signed_values_are_refused() -> None:
    for kind in (np.float32, np.int16):
        with pytest.raises(DataError, match=r"x\.tif has floating point or signed values"):
            read_image(encoded(np.full((4, 4), 300, kind), ".tif"), "x.tif")


def test_several_pictures_in_a_file_are_refused() -> None:
    frames = [Image.fromarray(smooth()), Image.fromarray(255 - smooth())]
    more = {"save_all": True, "append_images": frames[1:]}
    for kind, message in (("PNG", "animated"), ("WEBP", "animated"), ("TIFF", "2 pages")):
        with pytest.raises(DataError, match=message):
            read_image(pillow(frames[0], kind, **more), "x.img")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_orientation_in_a_file_is_applied(kind: str) -> None:
    image = Image.fromarray(smooth(24, 40))
    exif = image.getexif()
    exif[0x0112] = 6  # turn right by a quarter to look at it
    options = {"lossless": True} if kind == "WEBP" else {}
    turned = read_image(pillow(image, kind, exif=exif, **options), "x").astype(int)
    straight = read_image(pillow(image, kind, **options), "x").astype(int)
    assert np.array_equal(turned, np.rot90(straight, -1))


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_an_8_bit_tiff_with_transparent_pixels_is_refused(alpha: int) -> None:
    image = np.full((8, 8, 4), 180, np.uint8)
    image[..., 3] = alpha
    data = pillow(Image.fromarray(image), "TIFF")
    if alpha == 255:
        assert (read_image(data, "x.tif") == 180).all()
    else:
        with pytest.raises(DataError, match=r"x\.tif is a TIFF with transparent pixels"):
            read_image(data, "x.tif")


def test_a_16_bit_tiff_with_white_as_0_is_refused() -> None:
    data = encoded(np.full((8, 8), 60000, np.uint16), ".tif")
    order = "<" if data[:2] == b"II" else ">"
    photometric = struct.pack(order + "HHIHH", 262, 3, 1, 1, 0)
    assert data.count(photometric) == 1
    white = data.replace(photometric, struct.pack(order + "HHIHH", 262, 3, 1, 0, 0))
    assert read_image(data, "x.tif").max() == 234
    with pytest.raises(DataError, match=r"x\.tif has 16 bits with white as 0"):
        read_image(white, "x.tif")
