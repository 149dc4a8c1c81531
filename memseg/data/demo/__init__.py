"""Demo product lines, drawn by code: something to train on when no real images are at hand.

Nothing here knows the anomaly simulation. Defects are drawn as a vision engineer would describe
them (a scratch, a chip, a bent pin), never with Perlin masks and never with the textures of
memseg.data.textures: the demo would be a test of itself.

    drawing.py       shapes, strokes and noise on an oversampled canvas
    camera.py        what differs between two photographs of one part: light, pose, grain
    brushed_metal.py, woven_fabric.py, printed_tablet.py, connector.py   one product line each
    lines.py         the table of lines; rendering of one image with its exact mask
    layout.py        the folders of MVTec AD, written once and marked as complete
"""

from __future__ import annotations

from pathlib import Path

DEMO_TEXTURES = ("brushed_metal", "woven_fabric")
"""Surfaces without an outline."""
DEMO_OBJECTS = ("connector", "printed_tablet")
"""Parts in a known pose; the tablet lies on a belt, which is a background around it."""
DEMO_CATEGORIES = tuple(sorted(DEMO_TEXTURES + DEMO_OBJECTS))
"""All demo product lines, sorted."""


def draw_demo(
    target: Path | str, *, size: int = 128, normal: int = 28, seed: int = 0
) -> tuple[str, ...]:
    """Draws all demo product lines below `target` in the layout of MVTec AD.

    Each line gets `normal` training images, 8 good test images and 13 with defects of three
    kinds, RGB PNGs of `size`² pixels, and a mask of 0 and 255 for each image with a defect.
    The same arguments give the same bytes (with the same versions of numpy and OpenCV). DEMO.json
    is written last and says that all is there: where it names the same arguments and no file is
    missing, nothing is drawn again.

    Returns the categories' names, sorted. Raises SettingError for a size, number or seed out of
    range, DataError where a category's folder holds something that was not drawn here,
    StorageError where the folder cannot be written.
    """
    from memseg.data.demo.layout import write_demo  # cv2 only when something may be drawn

    return write_demo(target, size=size, normal=normal, seed=seed)
