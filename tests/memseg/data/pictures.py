"""Image files for tests, made by two different libraries or by hand."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

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
