"""Small data sets on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

Picture = npt.NDArray[np.uint8]
PictureMaker = Callable[..., Picture]
Writer = Callable[[Path, npt.NDArray[np.generic]], Path]


@pytest.fixture(scope="session")
def picture() -> PictureMaker:
    """A smooth picture with a little grain, another for each seed: (H, W, 3)."""

    def make(height: int = 24, width: int = 32, seed: int = 0) -> Picture:
        generator = np.random.default_rng(seed)
        coarse = generator.integers(20, 236, (4, 4, 3)).astype(np.uint8)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        grain = generator.integers(0, 20, smooth.shape)
        return (smooth // 2 + grain + 30).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def write() -> Writer:
    """Writes an RGB or grey picture in the format of the path's ending."""

    def to_file(path: Path, image: npt.NDArray[np.generic]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        ordered = image[..., ::-1] if image.ndim == 3 else image
        done, data = cv2.imencode(path.suffix, np.ascontiguousarray(ordered))
        assert done
        path.write_bytes(data.tobytes())
        return path

    return to_file


@pytest.fixture
def mvtec_root(tmp_path: Path, picture: PictureMaker, write: Writer) -> Path:
    """Categories "no" and "01": 4 normal images, a good and a scratched test image each."""
    root = tmp_path / "data"
    for category, first in (("no", 0), ("01", 50)):
        for i in range(4):
            write(root / category / "train/good" / f"{i:03}.png", picture(seed=first + i))
        write(root / category / "test/good/000.png", picture(seed=first + 10))
        write(root / category / "test/scratch/000.png", picture(seed=first + 11))
        mask = np.zeros((24, 32), np.uint8)
        mask[6:12, 8:20] = 255
        write(root / category / "ground_truth/scratch/000_mask.png", mask)
        (root / category / "license.txt").write_text("free")
        (root / category / "train/good/.DS_Store").write_bytes(b"x")
    return root
