"""BMP: uncompressed only, with all its rows in the file."""

from __future__ import annotations

from memseg.data.formats.header import Header, UnusableError, damaged, truncated, unpack

SIGNATURE = b"BM"
_UNCOMPRESSED = (0, 3, 6)  # plain, and with bit masks


def inspect_bmp(data: bytes) -> Header:
    """The header of a whole BMP. Raises UnusableError for any other, and for a compressed one."""
    pixels, info = unpack("<II", data, 10)
    compression = 0
    if info == 12:
        width, height, _, bits = unpack("<HHHH", data, 18)
    elif info >= 40:
        width, height, _, bits, compression = unpack("<iiHHI", data, 18)
    else:
        raise damaged(f"its header is {info} bytes long")
    height = abs(height)  # negative: rows from top to bottom
    header = Header("BMP", width, height)
    if compression not in _UNCOMPRESSED:
        raise UnusableError("is a compressed BMP: save it uncompressed or as PNG")
    if bits not in (1, 4, 8, 16, 24, 32) or pixels < 14 + info:
        raise damaged(f"its header says {bits} bits a pixel, from byte {pixels} on")
    needed = pixels + (width * bits + 31) // 32 * 4 * height
    if needed > len(data):
        raise truncated(f"it has {len(data)} bytes and should have at least {needed}")
    return header
