from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from memseg.data.decoding import decode_image, decode_mask, read_image
from memseg.data.formats.header import UnusableError
from memseg.data.formats.inspect import inspect, pixels_of
from memseg.errors import DataError

Array = npt.NDArray[Any]
RED_GREEN = np.array([[[200, 10, 30], [20, 220, 40]]] * 2, np.uint8)
"""(2, 2, 3): red and green, which tells RGB from BGR and left from right."""


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG from its header, its filtered rows, and other chunks between them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def encoded(image: Array, ending: str, *options: int) -> bytes:
    ordered = image[..., ::-1] if image.ndim == 3 and image.shape[2] == 3 else image
    done, data = cv2.imencode(ending, np.ascontiguousarray(ordered), list(options))
    assert done
    return bytes(data.tobytes())


def pillow(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def smooth(height: int = 40, width: int = 56) -> Array:
    coarse = np.random.default_rng(3).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def files() -> dict[str, bytes]:
    """One picture in many kinds of file, made by two different libraries."""
    image = smooth()
    other = Image.fromarray(image)
    exif = other.getexif()
    exif[0x010E] = "a description \xff\xd9 with an end marker in it"
    thumbnail = pillow(other.resize((8, 8)), "JPEG")
    return {
        "png": encoded(image, ".png"),
        "png 16": encoded(image.astype(np.uint16) * 257, ".png"),
        "png palette": pillow(other.convert("P"), "PNG"),
        "png grey": encoded(image[..., 0], ".png"),
        "jpeg": encoded(image, ".jpg"),
        "jpeg grey": encoded(image[..., 0], ".jpg"),
        "jpeg progressive": pillow(other, "JPEG", progressive=True),
        "jpeg restarts": encoded(image, ".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
        "jpeg thumbnail": pillow(other, "JPEG", exif=exif, comment=thumbnail),
        "bmp": encoded(image, ".bmp"),
        "bmp palette": pillow(other.convert("P"), "BMP"),
        "tiff lzw": encoded(image, ".tif"),
        "tiff raw": pillow(other, "TIFF"),
        "tiff deflate": pillow(other, "TIFF", compression="tiff_deflate"),
        "tiff 16": encoded(image.astype(np.uint16) * 257, ".tif"),
        "webp": encoded(image, ".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
        "webp lossless": encoded(image, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
        "webp exif": pillow(other, "WEBP", exif=exif),
    }


FILES = files()


@pytest.mark.parametrize("kind", FILES)
def test_a_whole_file_is_decoded_as_another_library_decodes_it(kind: str) -> None:
    image = read_image(FILES[kind], kind)
    other = Image.open(BytesIO(FILES[kind]))
    # Pillow has no 16-bit RGB.
    expected = smooth() if kind.endswith(" 16") else np.asarray(other.convert("RGB"))
    assert image.shape == (40, 56, 3)
    assert np.abs(image.astype(int) - expected.astype(int)).max() <= 6


def outcome(data: bytes) -> Array | None:
    """The image, or None for a DataError that names the file."""
    try:
        return read_image(data, "bad/007.img")
    except DataError as error:
        if "bad/007.img" not in str(error):
            raise
        return None


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_anywhere_is_an_error_with_its_name_or_the_whole_image(kind: str) -> None:
    data = FILES[kind]
    whole = read_image(data, "whole")
    offsets = {*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 20, len(data))}
    images = [outcome(data[:offset]) for offset in sorted(offsets)]
    assert all(np.array_equal(image, whole) for image in images if image is not None)
    assert sum(image is None for image in images) >= len(offsets) - 6  # padding may be missing


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(sorted(FILES)),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    share=st.floats(0, 1, exclude_max=True),
)
def test_truncation_is_found_whatever_the_size(
    kind: str, size: tuple[int, int], share: float
) -> None:
    image = Image.fromarray(smooth(*size))
    data = pillow(
        image, kind.split()[0].upper(), **({"progressive": True} if "prog" in kind else {})
    )
    cut = outcome(data[: int(share * len(data))])
    assert cut is None or np.array_equal(cut, read_image(data, "whole"))


@pytest.mark.parametrize("kind", ["png", "png 16", "png palette", "jpeg", "tiff lzw"])
def test_a_file_whose_end_was_never_written_is_an_error(kind: str) -> None:
    # As after a full disk or a lost connection: right length, zeros at the end.
    data = FILES[kind]
    for share in (0.3, 0.6, 0.9):
        kept = int(share * len(data))
        with pytest.raises(DataError, match=r"x\.img is (truncated|damaged)"):
            read_image(data[:kept] + bytes(len(data) - kept), "x.img")


@pytest.mark.parametrize("kind", ["jpeg", "jpeg grey", "jpeg restarts", "jpeg progressive"])
@pytest.mark.parametrize("share", [0.45, 0.6, 0.8])
def test_a_jpeg_that_was_cut_and_closed_again_is_an_error(kind: str, share: float) -> None:
    data = FILES[kind]
    body = data[: int(share * len(data))].rstrip(b"\xff") + b"\xff\xd9"
    with pytest.raises(DataError, match=r"x\.jpg is (truncated|damaged)"):
        read_image(body, "x.jpg")


def test_a_jpeg_that_is_middle_grey_is_whole() -> None:
    grey = np.full((40, 56, 3), 128, np.uint8)
    assert np.array_equal(read_image(encoded(grey, ".jpg"), "grey.jpg"), grey)


def test_bytes_behind_the_end_of_a_picture_do_not_matter() -> None:
    for kind in ("png", "jpeg", "bmp", "tiff lzw", "webp"):
        assert np.array_equal(
            read_image(FILES[kind] + b"\xff\xd8trailer", kind), read_image(FILES[kind], kind)
        )


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(sorted(FILES)),
    position=st.floats(0, 1, exclude_max=True),
    junk=st.binary(min_size=1, max_size=40),
)
def test_damage_never_ends_in_anything_but_an_image_or_a_data_error(
    kind: str, position: float, junk: bytes
) -> None:
    data = bytearray(FILES[kind])
    start = int(position * len(data))
    data[start : start + len(junk)] = junk
    image = outcome(bytes(data))
    assert image is None or image.dtype == np.uint8


@settings(max_examples=30, deadline=None)
@given(position=st.integers(0, len(FILES["png"]) - 1), bit=st.integers(0, 7))
def test_each_flipped_bit_of_a_png_is_found(position: int, bit: int) -> None:
    data = bytearray(FILES["png"])
    data[position] ^= 1 << bit
    with pytest.raises(DataError, match=r"x\.png"):
        read_image(bytes(data), "x.png")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"x\.img is empty"),
        (np.random.default_rng(0).bytes(5000), r"x\.img is not an image"),
        (b"GIF89a" + bytes(50), r"x\.img is not an image"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (b"\xff\xd8", "truncated"),
        (b"\xff\xd8\xff\xd9", "no picture"),
        (b"BM", "truncated"),
        (b"II*\0", "truncated"),
        (b"II*\0\0\0\0\0", "no page"),
        (b"RIFF\x04\0\0\0WEBP", "no picture"),
    ],
)
def test_what_is_no_image_is_named(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_image(data, "x.img")


def huge(kind: str) -> bytes:
    """A small file whose header says 60000 x 50000 pixels."""
    if kind == "png":
        return png(60_000, 50_000, 8, 2, b"")
    if kind == "jpeg":
        data = bytearray(FILES["jpeg"])
        frame = data.index(b"\xff\xc0")
        data[frame + 5 : frame + 9] = struct.pack(">HH", 50_000, 60_000)
        return bytes(data)
    if kind == "bmp":
        return b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 60_000, 50_000, 1, 24, 0) + bytes(24)
    if kind == "tiff":
        entries = [(256, 4, 1, 60_000), (257, 4, 1, 50_000)]
        return b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + b"".join(
            struct.pack("<HHII", *entry) for entry in entries
        ) + bytes(4)  # fmt: skip
    canvas = b"\0\0\0\0" + (59_999).to_bytes(3, "little") + (49_999).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + canvas


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "tiff", "webp"])
def test_a_huge_image_is_refused_before_it_is_decoded(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DataError, match=r"x\.img has 60000 x 50000 pixels.*100 megapixels"):
        read_image(huge(kind), "x.img")


def test_a_png_with_more_pixels_than_its_header_says_is_refused() -> None:
    with pytest.raises(DataError, match="more pixel data"):
        read_image(png(2, 2, 8, 0, bytes(50_000_000)), "bomb.png")


@pytest.mark.parametrize("kind", files())
def test_pixels_are_counted_without_unpacking(kind: str) -> None:
    header = inspect(files()[kind])
    assert pixels_of(files()[kind]) == header.width * header.height


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + bytes(9)]
)
def test_pixels_of_what_has_no_header_are_not_counted(data: bytes) -> None:
    with pytest.raises(UnusableError):
        pixels_of(data)


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
    assert decode_mask(encoded(grey, ".png"), "m", 2).tolist() == [[False, False], [True, True]]


def test_a_coloured_mask_counts_by_its_brightest_channel() -> None:
    palette = chunk(b"PLTE", bytes([0, 0, 0, 128, 0, 0]))
    assert (
        decode_mask(png(2, 2, 8, 3, b"\0\0\1" * 2, palette), "m", 2).tolist() == [[False, True]] * 2
    )


def test_an_empty_mask_is_a_mask() -> None:
    assert not decode_mask(encoded(np.zeros((4, 4), np.uint8), ".png"), "m", 4).any()


def test_a_mask_of_zeros_and_ones_is_refused() -> None:
    with pytest.raises(DataError, match=r"mask m\.png has values up to 1.*save it with 0 and 255"):
        decode_mask(encoded(np.eye(4, dtype=np.uint8), ".png"), "m.png", 4)


def test_a_mask_of_another_size_is_refused() -> None:
    data = encoded(np.zeros((24, 40), np.uint8), ".png")
    assert decode_mask(data, "m.png", 8, (24, 40)).shape == (8, 8)
    with pytest.raises(DataError, match=r"mask m\.png is 40 x 24 pixels, its image is 24 x 40"):
        decode_mask(data, "m.png", 8, (40, 24))


def test_a_mask_with_transparent_pixels_is_refused() -> None:
    opaque = b"\0" + bytes([255, 255, 255, 255, 0, 0, 0, 255])
    assert decode_mask(png(2, 2, 8, 6, opaque * 2), "m", 2).tolist() == [[True, False]] * 2
    clear = b"\0" + bytes([255, 255, 255, 255, 255, 255, 255, 0])
    with pytest.raises(DataError, match="mask m has transparent pixels"):
        decode_mask(png(2, 2, 8, 6, clear * 2), "m", 2)


def test_a_mask_is_resized_to_the_nearest_pixel() -> None:
    grey = np.zeros((9, 9), np.uint8)
    grey[4, 4] = 255  # the centre of the middle block of 3 x 3
    expected = np.zeros((3, 3), np.bool_)
    expected[1, 1] = True
    assert np.array_equal(decode_mask(encoded(grey, ".png"), "m", 3), expected)


def test_no_real_texture_is_called_truncated(real_data: Any) -> None:
    paths = sorted((real_data / "textures/dtd/images").rglob("*.jpg"))[::8]
    assert len(paths) >= 50
    for path in paths:
        assert decode_image(path.read_bytes(), path.name, 64).shape == (3, 64, 64)


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
