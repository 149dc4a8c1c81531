"""WEBP: the container's length, and a whole picture chunk in it."""

from __future__ import annotations

from memseg.data.formats.header import Header, UnusableError, damaged, truncated, unpack

_ANIMATED = 0x02


def is_webp(data: bytes) -> bool:
    """Whether a file begins like a WEBP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def inspect_webp(data: bytes) -> Header:
    """The header of a whole WEBP. Raises UnusableError for any other, and for an animated one."""
    end = 8 + unpack("<I", data, 4)[0]
    if end > len(data):
        raise truncated(f"it has {len(data)} of {end} bytes")
    position = 12
    while position + 8 <= end:
        kind, length = unpack("<4sI", data, position)
        start = position + 8
        if start + length > end:
            raise damaged(f"chunk {kind.decode('latin-1')!r} is longer than the file")
        if kind == b"VP8X":
            flags, wide, high = unpack("<B3x3s3s", data, start)
            Header("WEBP", 1 + int.from_bytes(wide, "little"), 1 + int.from_bytes(high, "little"))
            if flags & _ANIMATED:
                raise UnusableError("is an animated WEBP: save one picture of it")
        if kind == b"VP8 ":
            width, height = unpack("<6xHH", data, start)
            return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
        if kind == b"VP8L":
            bits = unpack("<xI", data, start)[0]
            return Header("WEBP", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        position = start + length + length % 2
    raise damaged("there is no picture in it")
