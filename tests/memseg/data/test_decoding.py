"""Files that are whole, damaged or too large."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from memseg.data.decoding import decode_image, read_image
from memseg.data.formats.header import UnusableError
from memseg.data.formats.inspect import inspect, pixels_of
from memseg.errors import DataError
from tests.memseg.data.pictures import Array, encoded, files, pillow, png, smooth

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


def test_a_cut_behind_a_byte_that_could_begin_a_marker_is_found_too() -> None:
    options = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    data = encoded(smooth(160, 224), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 97, *options)
    begin = data.index(b"\xff\xda") + 14
    cuts = [i for i in range(begin, len(data) * 9 // 10) if data[i - 1] == 0xFF and not data[i]]
    assert len(cuts) >= 5
    for cut in cuts:
        with pytest.raises(DataError, match="truncated"):
            read_image(data[:cut] + b"\xff\xd9", "cut.jpg")


def test_no_memory_is_not_called_a_damaged_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        error = cv2.error("no memory")
        error.code, error.err = cv2.Error.StsNoMem, "Failed to allocate 49000000 bytes"
        raise error

    monkeypatch.setattr(cv2, "imdecode", full)
    with pytest.raises(MemoryError, match="Failed to allocate"):
        read_image(FILES["png"], "big.png")


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


def test_no_real_texture_is_called_truncated(real_data: Any) -> None:
    paths = sorted((real_data / "textures/dtd/images").rglob("*.jpg"))[::8]
    assert len(paths) >= 50
    for path in paths:
        assert decode_image(path.read_bytes(), path.name, 64).shape == (3, 64, 64)


def tiff(*entries: tuple[int, int, int]) -> bytes:
    """A TIFF of 4 x 4 pixels: further entries by tag, count and value."""
    listed = sorted([(256, 1, 4), (257, 1, 4), *entries])
    page = b"".join(struct.pack("<HHII", tag, 3, count, value) for tag, count, value in listed)
    return b"II*\0" + struct.pack("<IH", 8, len(listed)) + page + bytes(4 + 64)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tiff((273, 0, 0), (279, 0, 0)), "neither strips nor tiles"),
        (tiff((273, 1, 100), (279, 0, 0)), "lengths of its strips or tiles are missing"),
        (tiff((258, 0, 0), (262, 1, 0), (273, 0, 0), (279, 0, 0)), "neither strips nor tiles"),
    ],
)
def test_a_tiff_with_tags_that_hold_nothing_is_named(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_image(data, "x.tif")
