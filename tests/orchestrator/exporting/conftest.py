"""A workspace whose registry has one small model, and the images that it was tested on."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from safetensors.torch import save

from memseg.config import MethodConfig, build
from memseg.data.fingerprints import category_files, hash_files, test_fingerprint
from memseg.data.layouts import LayoutConfig, list_category
from memseg.model.network import MemSegNet, build_network
from memseg.model.weights import EncoderWeights
from memseg.storage import open_folder
from orchestrator.planning.trial import default_settings
from orchestrator.registry.bundle import version_files
from orchestrator.registry.registry import Registry, Version
from tests.memseg.export.conftest import with_statistics

SIDE = 64
KEY = "aaaa0001"


def draw(count: int, seed: int) -> npt.NDArray[np.uint8]:
    """(count, 3, 64, 64)."""
    random = np.random.default_rng(seed)
    coarse = random.integers(30, 220, (count, 3, SIDE // 8, SIDE // 8))
    fine = coarse.repeat(8, 2).repeat(8, 3) + random.integers(-8, 8, (count, 3, SIDE, SIDE))
    return fine.clip(0, 255).astype(np.uint8)


def write(path: Path, image: npt.NDArray[np.uint8]) -> None:
    """A (3, H, W) RGB image, or a mask (H, W), as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image if image.ndim == 2 else image[::-1].transpose(1, 2, 0)
    done, data = cv2.imencode(".png", np.ascontiguousarray(pixels))
    assert done
    path.write_bytes(data.tobytes())


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Category "screw" as in MVTec AD: two good test images and two scratched ones."""
    root = tmp_path_factory.mktemp("data")
    images = draw(5, seed=7)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[8:20, 8:40] = 255
    write(root / "screw/train/good/000.png", images[0])
    for i in (1, 2):
        write(root / f"screw/test/good/{i:03}.png", images[i])
        write(root / f"screw/test/scratch/{i:03}.png", images[i + 2])
        write(root / f"screw/ground_truth/scratch/{i:03}_mask.png", mask)
    return root


@pytest.fixture(scope="session")
def network() -> MemSegNet:
    """The model's network: random weights, with BatchNorm's statistics of images."""
    config = build(MethodConfig, {"image.size": SIDE})
    made = build_network(config, draw(2, seed=0), EncoderWeights("random", None), 0)
    return with_statistics(made, draw(4, seed=1))


def make_result(weights: bytes, test_images: str, precision: str = "fp32") -> dict[str, Any]:
    """A trial's result.json."""
    settings = {
        **default_settings(),
        "image.size": SIDE,
        "memory.samples": 2,
        "training.precision": precision,
    }
    return {
        "key": KEY, "training_key": "t", "category": "screw", "seed": 3, "method_version": 2,
        "settings": settings, "grid": {},
        "inputs": {"train_fingerprint": "f1", "test_fingerprint": test_images,
                   "textures": "procedural:1", "encoder_weights": "random"},
        "metrics": {"image_auroc": 0.975, "image_threshold": 0.31, "pixel_threshold": 0.42},
        "undefined": {}, "synthetic": None, "steps": 4, "encoder_weights": "random",
        "memory_samples": ["screw/train/good/000.png"], "held_out": [], "precision": precision,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }  # fmt: skip


@pytest.fixture(scope="session")
def weights(network: MemSegNet) -> bytes:
    """Its model.safetensors."""
    return bytes(save({name: value.contiguous() for name, value in network.state_dict().items()}))


@pytest.fixture(scope="session")
def tested_on(data_root: Path) -> str:
    """Fingerprint of the test images."""
    folder = open_folder(data_root)
    files = list_category(folder, LayoutConfig(), "screw")
    return test_fingerprint(files, hash_files(folder, category_files(files)))


@pytest.fixture
def workspace(tmp_path: Path, weights: bytes, tested_on: str) -> Path:
    """With the model as the champion of "screw"."""
    registry = Registry(open_folder(tmp_path / "ws/registry"))
    registry.publish("screw", KEY, version_files(make_result(weights, tested_on), weights, "test"))
    return tmp_path / "ws"


@pytest.fixture
def version(workspace: Path) -> Version:
    """The model."""
    return Registry(open_folder(workspace / "registry")).version("screw", KEY)
