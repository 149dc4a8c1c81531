"""Which format a file is in, by its content: endings lie."""

from __future__ import annotations

from memseg.data.formats import bmp, jpeg, png, tiff, webp
from memseg.data.formats.header import Header, UnusableError


def inspect(data: bytes) -> Header:
    """Format and size of a picture that is whole as far as can be told without decoding it.

    Raises UnusableError for an empty, truncated, damaged or too large file, for more than one
    picture in a file, and for anything that is not PNG, JPEG, BMP, TIFF or WEBP.
    """
    if not data:
        raise UnusableError("is empty (0 bytes): copy the file again")
    if data.startswith(png.SIGNATURE):
        return png.inspect_png(data)
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.inspect_jpeg(data)
    if data.startswith(tiff.SIGNATURES):
        return tiff.inspect_tiff(data)
    if webp.is_webp(data):
        return webp.inspect_webp(data)
    if data.startswith(bmp.SIGNATURE):
        return bmp.inspect_bmp(data)
    raise UnusableError(
        "is not an image that can be read (by its first bytes it is neither PNG, JPEG, BMP, "
        "TIFF nor WEBP): replace it, or remove it"
    )


def pixels_of(data: bytes) -> int:
    """Width times height of a picture, without unpacking it: far quicker than ``inspect`` of a PNG.

    Raises UnusableError; a PNG that is not whole may pass.
    """
    if data.startswith(png.SIGNATURE):
        return png.png_pixels(data)
    header = inspect(data)
    return header.width * header.height
