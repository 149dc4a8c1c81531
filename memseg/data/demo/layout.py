"""The demo as folders, in the layout of MVTec AD.

    <target>/DEMO.json                               written last: all is there
    <target>/<line>/train/good/000.png …
    <target>/<line>/test/good/000.png …
    <target>/<line>/test/<defect>/000.png …
    <target>/<line>/ground_truth/<defect>/000_mask.png …

DEMO.unfinished.json stands there while drawing. It says that these folders are the demo's own,
so that the next call may finish what an interrupted one began.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from memseg.data.demo.lines import LINES, Rendering, render
from memseg.errors import DataError, SettingError
from memseg.storage import Folder, open_folder

DEMO_VERSION = 1
"""Raised when the same arguments give other images: folders drawn before are drawn anew."""
MARKER = "DEMO.json"
UNFINISHED = "DEMO.unfinished.json"
GOOD_TESTS = 8
SIZES = (32, 1024)
MOST_NORMAL = 999


@dataclass(frozen=True)
class _Planned:
    """One image of the demo."""

    category: str
    split: str
    defect: str | None
    index: int

    @property
    def image(self) -> str:
        """Path relative to the target."""
        return f"{self.category}/{self.split}/{self.defect or 'good'}/{self.index:03d}.png"

    @property
    def mask(self) -> str | None:
        """Path relative to the target; None for a normal image."""
        if self.defect is None:
            return None
        return f"{self.category}/ground_truth/{self.defect}/{self.index:03d}_mask.png"


def write_demo(
    target: Path | str, *, size: int = 128, normal: int = 28, seed: int = 0
) -> tuple[str, ...]:
    """memseg.data.demo.draw_demo, which says more."""
    _check("size", size, SIZES[0], SIZES[1])
    _check("normal", normal, 1, MOST_NORMAL)
    _check("seed", seed, 0, 2**63 - 1)
    folder = open_folder(target)
    marker = _marker(size, normal, seed)
    if not _is_complete(folder, marker):
        _prepare(folder, marker)
        for planned in _plan(normal):
            split, index = planned.split, planned.index
            rendering = render(
                planned.category, split, index, size=size, seed=seed, defect=planned.defect
            )
            _write(folder, planned, rendering)
        folder.write_json(MARKER, marker)
        folder.delete(UNFINISHED)
    return tuple(LINES)


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SettingError(f"the demo's {name} must be from {least} to {most}, got {value}")


def _marker(size: int, normal: int, seed: int) -> dict[str, Any]:
    files = [path for planned in _plan(normal) for path in (planned.image, planned.mask) if path]
    return {
        "version": DEMO_VERSION,
        "size": size,
        "normal": normal,
        "seed": seed,
        "categories": list(LINES),
        "files": sorted(files),
    }


def _plan(normal: int) -> Iterator[_Planned]:
    for category, line in LINES.items():
        for index in range(normal):
            yield _Planned(category, "train", None, index)
        for index in range(GOOD_TESTS):
            yield _Planned(category, "test", None, index)
        for defect, count in line.defects.items():
            for index in range(count):
                yield _Planned(category, "test", defect, index)


def _is_complete(folder: Folder, marker: dict[str, Any]) -> bool:
    if folder.read_json(MARKER) != marker:
        return False
    there = {f.path for category in LINES for f in folder.files(category, recursive=True)}
    return there.issuperset(marker["files"])


def _prepare(folder: Folder, marker: dict[str, Any]) -> None:
    """Makes sure that only the demo's own files are replaced, and takes away those of an earlier
    demo that this one does not write. Files that it does write are replaced one by one, each
    whole: another process that draws the same demo at the same time is not disturbed.
    """
    known = [known for known in (folder.read_json(MARKER), folder.read_json(UNFINISHED)) if known]
    if not known:
        for category in LINES:
            if folder.files(category, recursive=True):
                raise DataError(
                    f"{folder.at(category)} holds files that are not the demo's: "
                    "draw the demo into another folder"
                )
    stale = {path for earlier in known for path in _files_of(folder, earlier)}
    folder.write_json(UNFINISHED, marker | {"files": sorted(stale | set(marker["files"]))})
    folder.delete(MARKER)
    for path in sorted(stale - set(marker["files"])):
        folder.delete(path)


def _files_of(folder: Folder, marker: Any) -> list[str]:
    """A marker's files; nothing outside the demo's own folders is ever taken for one."""
    files = marker.get("files") if isinstance(marker, dict) else None
    listed = isinstance(files, list) and all(isinstance(path, str) for path in files)
    own = listed and all(
        path.endswith(".png") and ".." not in path.split("/") and path.split("/")[0] in LINES
        for path in files or []
    )
    if not own:
        raise DataError(
            f"{MARKER} or {UNFINISHED} in {folder.path} was not written by the demo: "
            "draw the demo into another folder"
        )
    return list(files or [])


def _write(folder: Folder, planned: _Planned, rendering: Rendering) -> None:
    folder.write(planned.image, _png(rendering.image[:, :, ::-1]))
    if planned.mask is not None:
        folder.write(planned.mask, _png(rendering.mask.astype(np.uint8) * np.uint8(255)))


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Grey, or BGR as OpenCV wants it."""
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))
    return bytes(encoded.tobytes())
