"""JPEG: every marker up to the end of the picture, and every coefficient in some scan.

Decoders fill in what is missing, with grey, and only print a warning: that a file is whole must
be found out before.
"""

from __future__ import annotations

import re

from memseg.data.formats.header import Header, UnusableError, damaged, truncated, unpack

SIGNATURE = b"\xff\xd8"
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The first marker that does not belong to a scan's data."""
_FILLER = bytes((37 * i * i + 11 * i + 90) % 251 for i in range(64))


def inspect_jpeg(data: bytes) -> Header:
    """The header of a whole JPEG. Raises UnusableError for any other, and for CMYK."""
    return _walk(data)[0]


def with_filler(data: bytes) -> bytes:
    """The same picture with meaningless bytes behind the data of each scan.

    A decoder that had all the data it needed never looks at them. One that ran short takes them
    for pixels and gives another picture: this is how a scan that was cut and closed with an end
    marker is told from a whole one.
    """
    filled, position = [], 0
    for end in _walk(data)[1]:
        filled += [data[position:end], _FILLER]
        position = end
    return b"".join([*filled, data[position:]])


def _walk(data: bytes) -> tuple[Header, list[int]]:
    """The header, and where the data of each scan ends."""
    header: Header | None = None
    missing: set[tuple[int, int]] = set()
    ends: list[int] = []
    position = len(SIGNATURE)
    while True:
        marker, position = _next_marker(data, position)
        if marker == _EOI:
            break
        if marker in _ALONE:
            continue
        if marker == _SOI:
            raise damaged("a second picture begins inside the first")
        length = unpack(">H", data, position)[0]
        segment, position = position + 2, position + length
        if length < 2:
            raise damaged("a segment has an impossible length")
        if position > len(data):
            raise truncated("it ends inside a segment")
        if marker in _FRAMES and header is None:
            header, missing = _read_frame(data, segment, marker)
        elif marker == _SOS:
            missing -= _scanned(data, segment)
            found = _AFTER_SCAN.search(data, position)
            if found is None:
                raise truncated("the end marker is missing")
            position = end = found.start()
            while data[end - 1] == 0xFF:  # the filler would become a marker
                end -= 1
            ends.append(end)
    if header is None or not ends:
        raise damaged("there is no picture between its begin and end markers")
    if missing:
        raise truncated("its last scans are missing")
    return header, ends


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    position = data.find(b"\xff", position)
    if position < 0:
        raise truncated("the end marker is missing")
    while position < len(data) and data[position] == 0xFF:
        position += 1
    if position == len(data):
        raise truncated("the end marker is missing")
    return data[position], position + 1


def _read_frame(data: bytes, start: int, marker: int) -> tuple[Header, set[tuple[int, int]]]:
    _, height, width, components = unpack(">BHHB", data, start)
    header = Header("JPEG", width, height)
    if components == 4:
        raise UnusableError("is a CMYK JPEG, whose colours are not defined here: save it as RGB")
    names = [unpack(">B", data, start + 6 + 3 * i)[0] for i in range(components)]
    coefficients = range(64) if marker in _PROGRESSIVE else range(1)
    return header, {(name, k) for name in names for k in coefficients}


def _scanned(data: bytes, start: int) -> set[tuple[int, int]]:
    """(component, coefficient) that are exact after this scan."""
    count = unpack(">B", data, start)[0]
    names = [unpack(">B", data, start + 1 + 2 * i)[0] for i in range(count)]
    first, last, precision = unpack(">BBB", data, start + 1 + 2 * count)
    if precision & 15:
        return set()  # lower bits follow in another scan
    return {(name, k) for name in names for k in range(first, last + 1)}
