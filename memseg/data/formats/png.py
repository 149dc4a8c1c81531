"""PNG: each chunk with its checksum up to IEND, and pixel data of the length the header says."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from memseg.data.formats.header import Header, UnusableError, damaged, truncated, unpack

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))  # fmt: skip
"""First column and row, then column and row step, of each pass of an interlaced picture."""
_BLOCK = 1 << 20


def inspect_png(data: bytes) -> Header:
    """The header of a whole PNG. Raises UnusableError for any other, and for an animated one."""
    header: Header | None = None
    pixel_bytes = 0
    parts: list[memoryview] = []
    view = memoryview(data)
    position = len(SIGNATURE)
    while True:
        length, kind = unpack(">I4s", data, position)
        start, end = position + 8, position + 8 + length
        if end + 4 > len(data):
            raise truncated(f"a chunk ends {end + 4 - len(data)} bytes behind its end")
        if zlib.crc32(view[position + 4 : end]) != unpack(">I", data, end)[0]:
            raise damaged(f"the checksum of chunk {kind.decode('latin-1')!r} is wrong")
        if header is None:
            if kind != b"IHDR" or length != 13:
                raise damaged("it does not begin with a header")
            header, pixel_bytes = _read_header(data, start)
        elif kind == b"acTL":
            raise UnusableError("is an animated PNG: save one picture of it")
        elif kind == b"IDAT":
            parts.append(view[start:end])
        elif kind == b"IEND":
            break
        position = end + 4
    _check_pixels(parts, pixel_bytes)
    return header


def png_pixels(data: bytes) -> int:
    """Width times height as its header says, whether or not the rest is whole.

    Raises UnusableError where there is no header.
    """
    header, _ = _read_header(data, len(SIGNATURE) + 8)
    return header.width * header.height


def _read_header(data: bytes, start: int) -> tuple[Header, int]:
    width, height, depth, colour, _, _, interlaced = unpack(">IIBBBBB", data, start)
    header = Header("PNG", width, height)
    if colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise damaged(f"its header says colour type {colour} with {depth} bits")
    bits = depth * _CHANNELS[colour]
    if not interlaced:
        return header, _pass_bytes(width, height, bits)
    passes = (
        _pass_bytes(-((x - width) // dx), -((y - height) // dy), bits) for x, y, dx, dy in _ADAM7
    )
    return header, sum(passes)


def _pass_bytes(width: int, height: int, bits: int) -> int:
    if width < 1 or height < 1:
        return 0
    return height * (1 + (width * bits + 7) // 8)  # each row begins with its filter


def _check_pixels(parts: Iterable[memoryview], expected: int) -> None:
    stream = zlib.decompressobj()
    produced = 0
    try:
        for part in parts:
            pending: bytes | memoryview = part
            while pending and not stream.eof and produced <= expected:
                produced += len(stream.decompress(pending, _BLOCK))
                pending = stream.unconsumed_tail
        if not stream.eof and produced <= expected:
            produced += len(stream.flush(_BLOCK))
    except zlib.error as error:
        raise damaged(f"its pixel data cannot be unpacked ({error})") from None
    if produced < expected:
        raise truncated(f"it holds {produced} of {expected} bytes of pixel data")
    if produced > expected:
        raise damaged(f"it holds more pixel data than the {expected} bytes of its size")
    if not stream.eof:
        raise truncated("the end of its pixel data is missing")
