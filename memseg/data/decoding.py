"""Bytes of an image file to pixels, with one defined conversion for each kind of file.

- The content decides the format, not the ending: PNG, JPEG, BMP, TIFF or WEBP.
- Grey images get three equal channels; palettes become their colours.
- An alpha channel is dropped: colours count as they are stored. A *mask* with transparent
  pixels is refused, since there it cannot be known what counts; so is an 8-bit TIFF, since its
  reader multiplies colours by alpha.
- 16 bits become 8 by value >> 8. An image whose 16-bit values all lie below 4096 is refused:
  these are 10 or 12 bits of a camera, and would turn black.
- An orientation in the file (EXIF) is applied, as viewers do.
- Refused: CMYK, floating point, animations, several pages, more than 100 megapixels.
- Resizing to the square input keeps the whole picture, whatever its sides: the mean of the area
  along a side that shrinks, linear along one that grows. Masks: nearest pixel.

A file that is truncated is always an error; ``memseg.data.formats`` finds that out. What no
check can find: bytes that were changed inside a picture without checksums (all but PNG), and
the loss of a JPEG's very last block.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from memseg.data.formats import jpeg
from memseg.data.formats.header import UnusableError
from memseg.data.formats.inspect import inspect
from memseg.data.large import room_for
from memseg.errors import DataError

Pixels = npt.NDArray[Any]

# Not IMREAD_COLOR_RGB: OpenCV 5.0.0 gives noise for 16-bit TIFFs with it.
_COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
_TWELVE_BITS = 4096
_JPEG_BLOCK = 8


def decode_image(data: bytes, name: str, size: int) -> npt.NDArray[np.uint8]:
    """An image at the network's size: uint8 (3, size, size), RGB.

    ``name`` is for messages. Raises DataError that names the file when it is empty, corrupt,
    truncated or refused (see the module).
    """
    with room_for(data):
        return resize_image(read_image(data, name), size)


def read_image(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    """An image as it is: uint8 (H, W, 3), RGB. Raises DataError like ``decode_image``."""
    pixels = _decode(data, name)
    if pixels.dtype == np.uint8:
        return pixels
    highest = int(pixels.max())
    if highest < _TWELVE_BITS:
        raise DataError(
            f"{name} has 16 bits a channel but no value above {highest}, as if 12 bits (or fewer) "
            "of a camera were stored as they are; it would turn black. Save the images with the "
            "full range of 16 bits (12-bit values times 16) or with 8 bits"
        )
    return np.asarray(pixels >> 8, dtype=np.uint8)


def read_mask(data: bytes, name: str, image_shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """A ground-truth mask as it is: bool (H, W), True is anomalous.

    A pixel is anomalous where its brightest channel is above half of the range (127 of 255).
    ``image_shape`` is (height, width) of the mask's image. Raises DataError as ``decode_image``
    does; also when the mask has another size than its image, has transparent pixels, or has
    values above 0 but none above half (0 and 1 instead of 0 and 255).
    """
    pixels = _decode(data, name)
    _check_opaque(data, name)
    shape = (pixels.shape[0], pixels.shape[1])
    if shape != image_shape:
        raise DataError(
            f"mask {name} is {shape[1]} x {shape[0]} pixels, its image is "
            f"{image_shape[1]} x {image_shape[0]}: a mask must have its image's size"
        )
    brightest: Pixels = pixels.max(axis=2)
    full = int(np.iinfo(pixels.dtype).max)
    highest = int(brightest.max())
    if 0 < highest <= full // 2:
        raise DataError(
            f"mask {name} has values up to {highest}, and only those above {full // 2} count as "
            f"anomalous: save it with 0 and {full}"
        )
    return brightest > full // 2


def resize_image(image: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """(H, W, 3) to (3, size, size)."""
    height, width = image.shape[:2]
    smaller = (min(width, size), min(height, size))
    image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def resize_mask(mask: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.bool_]:
    """(H, W) to (size, size); a thin scratch can vanish."""
    grey = mask.astype(np.uint8)
    resized = cv2.resize(grey, (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, dtype=np.bool_)


def _decode(data: bytes, name: str) -> Pixels:
    """uint8 or uint16 (H, W, 3), RGB, of a file that is whole."""
    try:
        header = inspect(data)
    except UnusableError as reason:
        raise DataError(f"{name} {reason}") from None
    pixels = _imdecode(data, _COLOUR)
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise DataError(
            f"{name} is damaged: as a {header.kind} it cannot be decoded; save it again"
        )
    if sorted(pixels.shape[:2]) != sorted((header.height, header.width)):
        raise DataError(f"{name} is damaged: its size is not that of its header; save it again")
    if header.alpha and pixels.dtype == np.uint8 and _is_transparent(data):
        raise DataError(
            f"{name} is a TIFF with transparent pixels, whose colours are lost when it is read: "
            "save it without an alpha channel"
        )
    if header.kind == "JPEG" and _ends_in_middle_grey(pixels):
        again = _imdecode(jpeg.with_filler(data), _COLOUR)
        if again is None or not np.array_equal(again, pixels):
            raise DataError(f"{name} is truncated: pixels at its end are missing; copy it again")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def _imdecode(data: bytes, flags: int) -> Pixels | None:
    try:
        pixels: Pixels | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(f"no memory to decode an image: {error.err}") from error
        return None
    return pixels


def _ends_in_middle_grey(pixels: Pixels) -> bool:
    """Whether a JPEG's last block looks as decoders fill in one that is missing.

    Cheap, so that few whole files are decoded twice. A picture that was turned on decoding ends
    in any of its corners; the inner half of the block may have colour from its neighbours.
    """
    rows, columns = (((side - 1) % _JPEG_BLOCK + 2) // 2 for side in pixels.shape[:2])
    corners = (
        pixels[y, x]
        for y in (slice(None, rows), slice(-rows, None))
        for x in (slice(None, columns), slice(-columns, None))
    )
    return any(bool((np.abs(corner.astype(np.int16) - 128) <= 2).all()) for corner in corners)


def _is_transparent(data: bytes) -> bool:
    """Whether there is an alpha channel, and somewhere it is not full."""
    pixels = _imdecode(data, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:
        return False
    return bool((pixels[..., 3] != np.iinfo(pixels.dtype).max).any())


def _check_opaque(data: bytes, name: str) -> None:
    if _is_transparent(data):
        raise DataError(f"mask {name} has transparent pixels: save it in black and white")
