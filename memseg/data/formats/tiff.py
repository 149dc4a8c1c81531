"""TIFF and BigTIFF: the first page with all its strips or tiles in the file, and no other page."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from memseg.data.formats.header import Header, UnusableError, damaged, truncated, unpack

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
          16: 8, 17: 8, 18: 8}  # fmt: skip
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_SAMPLES, _SAMPLE_FORMAT = 277, 339
_PARTS = ((273, 279), (324, 325))
"""Tags of the offsets and byte counts, of strips and of tiles."""
_MAX_PAGES = 1000

Page = dict[int, tuple[int, ...]]


@dataclass(frozen=True)
class _Flavour:
    """Byte order and widths; BigTIFF has 8 bytes where TIFF has 4."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")


def inspect_tiff(data: bytes) -> Header:
    """The header of a whole TIFF with one page (thumbnails aside). Raises UnusableError otherwise.

    Refused: CMYK, floating point and signed values, JPEG of the old kind (compression 6).
    """
    order = "<" if data[:2] == b"II" else ">"
    flavour = _Flavour(order, big=unpack(order + "H", data, 2)[0] == 43)
    position = unpack(flavour.offset, data, 8 if flavour.big else 4)[0]
    pages: list[Page] = []
    seen: set[int] = set()
    while position:
        if position in seen or len(seen) >= _MAX_PAGES:
            raise damaged("its list of pages has no end")
        seen.add(position)
        page, position = _read_page(data, position, flavour)
        pages.append(page)
    if not pages:
        raise damaged("there is no page in it")
    full = [page for page in pages if not _first(page, _SUBFILE, 0) & 1]
    if len(full) > 1 or full[:1] != pages[:1]:
        raise UnusableError(f"has {len(pages)} pages: save the one picture that counts")
    sides = _first(pages[0], _WIDTH, 0), _first(pages[0], _HEIGHT, 0)
    header = Header("TIFF", *sides, alpha=_first(pages[0], _SAMPLES, 1) in (2, 4))
    _check_kind(pages[0])
    _check_parts(pages[0], header, len(data))
    return header


def _read_page(data: bytes, position: int, flavour: _Flavour) -> tuple[Page, int]:
    counter, entry, inline = ("Q", 20, 8) if flavour.big else ("H", 12, 4)
    number = unpack(flavour.order + counter, data, position)[0]
    position += struct.calcsize(counter)
    page: Page = {}
    if position + number * entry > len(data):
        raise truncated("its list of contents is not complete")
    for at in range(position, position + number * entry, entry):
        tag, kind = unpack(flavour.order + "HH", data, at)
        count = unpack(flavour.offset, data, at + 4)[0]
        length = _SIZES.get(kind, 1) * count
        start = at + entry - inline
        if length > inline:
            start = unpack(flavour.offset, data, start)[0]
        if start + length > len(data):
            raise truncated(f"it has {len(data)} bytes and should have at least {start + length}")
        if kind in _WHOLE_NUMBERS and count:
            page[tag] = unpack(f"{flavour.order}{count}{_WHOLE_NUMBERS[kind]}", data, start)
    return page, unpack(flavour.offset, data, position + number * entry)[0]


def _first(page: Page, tag: int, default: int) -> int:
    values = page.get(tag, ())
    return values[0] if values else default


def _check_kind(page: Page) -> None:
    if _first(page, _PHOTOMETRIC, 0) == 5:
        raise UnusableError("is a CMYK TIFF, whose colours are not defined here: save it as RGB")
    if _first(page, _PHOTOMETRIC, 1) == 0 and max(page.get(_BITS, (1,))) > 8:
        raise UnusableError("has 16 bits with white as 0, which would come out inverted: save it "
                            "with black as 0")  # fmt: skip
    if any(kind != 1 for kind in page.get(_SAMPLE_FORMAT, (1,))):
        raise UnusableError(
            "has floating point or signed values, whose range is not known: save 8 or 16 bits"
        )
    if _first(page, _COMPRESSION, 1) == 6:
        raise UnusableError("holds a JPEG of the old kind (compression 6): save it again")


def _check_parts(page: Page, header: Header, available: int) -> None:
    for offsets_tag, counts_tag in _PARTS:
        if offsets_tag not in page:
            continue
        offsets, counts = page[offsets_tag], page.get(counts_tag, ())
        if len(offsets) != len(counts) or not all(counts):
            raise damaged("the lengths of its strips or tiles are missing")
        needed = max(offset + count for offset, count in zip(offsets, counts))
        if needed > available:
            raise truncated(f"it has {available} bytes and should have at least {needed}")
        bits = _first(page, _BITS, 1) * _first(page, _SAMPLES, 1)
        pixels = header.height * header.width * bits // 8
        if _first(page, _COMPRESSION, 1) == 1 and sum(counts) < pixels:
            raise truncated(f"it holds {sum(counts)} of {pixels} bytes of pixel data")
        return
    raise damaged("there are neither strips nor tiles in it")
