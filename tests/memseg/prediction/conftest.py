"""A small model in a registry, and folders of images for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save as save_tensors

from memseg.config import METHOD_VERSION, MethodConfig, build, flatten_config
from memseg.model.network import MemSegNet, build_network
from memseg.model.weights import EncoderWeights
from memseg.prediction.loading import load_model
from memseg.prediction.model import Model
from memseg.storage import open_folder
from memseg.versions.layout import MANIFEST, Manifest, json_bytes, sum_of

SIDE, CATEGORY, ID = 64, "screw", "aaaa0001"
SETTINGS = {"image.size": SIDE, "training.precision": "fp32"}
Files = dict[str, bytes]
Publish = Callable[..., Path]
Draw = Callable[..., list[Path]]

THRESHOLDS: Mapping[str, Any] = {
    "image_threshold": 0.31, "pixel_threshold": 0.42, "undefined": {}, "note": "",
    "chosen_for": "best F1 on the test set",
    "without_test_labels": {
        "policies": {
            "false_positive_rate": {"image": {"threshold": 0.5}, "pixel": {"threshold": 0.6}},
            "best_f1_synthetic": {"image": {"threshold": 0.4}, "pixel": {"threshold": 0.45}},
        },
        "absent": {},
        "default": {"image": "false_positive_rate", "pixel": "false_positive_rate"},
        "held_out": 20,
    },
}  # fmt: skip


def picture(seed: int, width: int = 80, height: int = 48) -> npt.NDArray[np.uint8]:
    """(H, W, 3) RGB, another for each seed."""
    random = np.random.default_rng(seed)
    coarse = random.integers(30, 220, (5, 5, 3)).astype(np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth // 2 + random.integers(0, 40, smooth.shape), np.uint8)


def encoded(image: npt.NDArray[Any], ending: str = ".png") -> bytes:
    """The bytes of a file."""
    ordered = image[..., ::-1] if image.ndim == 3 and image.shape[2] == 3 else image
    done, data = cv2.imencode(ending, np.ascontiguousarray(ordered))
    assert done
    return bytes(data.tobytes())


@pytest.fixture(scope="session")
def network() -> MemSegNet:
    """Random weights with BatchNorm's statistics of images; not to be changed."""
    random = np.random.default_rng(0)
    memory = random.integers(0, 255, (3, 3, SIDE, SIDE)).astype(np.uint8)
    made = build_network(build(MethodConfig, SETTINGS), memory, EncoderWeights("random", None), 1)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    made.train()
    with torch.no_grad():
        made(torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)))
    return made.eval()


@pytest.fixture(scope="session")
def whole(network: MemSegNet) -> Files:
    """What a version consists of."""
    state = {n: v.contiguous() for n, v in network.state_dict().items()}
    config = {
        "category": CATEGORY, "seed": 0, "method_version": METHOD_VERSION,
        "settings": flatten_config(build(MethodConfig, SETTINGS)),
    }  # fmt: skip
    return {
        "model.safetensors": save_tensors(state),
        "config.json": json_bytes(config),
        "preprocessing.json": json_bytes({"size": SIDE}),
        "thresholds.json": json_bytes(THRESHOLDS),
        "metrics.json": b"{}\n", "provenance.json": b"{}\n", "MODEL_CARD.md": b"# a card\n",
    }  # fmt: skip


@pytest.fixture
def publish(whole: Files, tmp_path: Path) -> Publish:
    """Publishes a version as champion, with changed files; returns its folder."""

    def make(version: str = ID, **changed: Any) -> Path:
        files = {**whole, **{n.replace("__", "."): v for n, v in changed.items()}}
        files = {n: v if isinstance(v, bytes) else json_bytes(v) for n, v in files.items()}
        category = tmp_path / "ws" / "registry" / CATEGORY
        folder = category / "versions" / version
        target = open_folder(folder)
        for name, data in files.items():
            target.write(name, data)
        sums = {name: sum_of(data) for name, data in files.items()}
        target.write(MANIFEST, Manifest(CATEGORY, version, sums).to_bytes())
        (category / "aliases.json").write_text(json.dumps({"champion": version}))
        return folder

    return make


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Draws ``count`` images into tmp_path / "photos"; returns their paths, sorted."""

    def make(count: int, folder: str = "photos", first: int = 0, **size: int) -> list[Path]:
        paths = []
        for i in range(first, first + count):
            path = tmp_path / folder / f"{'ab'[i % 2]}" / f"{i:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(picture(i, **size)))
            paths.append(path)
        return sorted(paths)

    return make


@pytest.fixture
def model(publish: Publish) -> Model:
    """The published model, loaded."""
    return load_model(str(publish()))
