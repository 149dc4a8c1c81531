"""A finished trial to publish."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from memseg.storage import Folder
from orchestrator.planning.trial import default_settings
from orchestrator.registry.bundle import version_files

WEIGHTS = safetensors.numpy.save(
    {"a.weight": np.arange(6, dtype=np.float32), "memory.images": np.zeros((2, 3), np.uint8)}
)


def make_result(key: str = "aaaa0001", category: str = "screw", **changed: Any) -> dict[str, Any]:
    """A trial's result.json."""
    return {
        "key": key, "training_key": "t" + key, "category": category, "seed": 3,
        "method_version": 1, "settings": dict(default_settings()), "grid": {"optimizer.lr": 0.04},
        "inputs": {"train_fingerprint": "f1", "test_fingerprint": "f2",
                   "textures": "procedural:1", "encoder_weights": "sha256:ab"},
        "metrics": {"image_auroc": 0.975, "pixel_auroc": 0.9, "aupro": 0.8, "image_ap": 0.7,
                    "pixel_ap": 0.6, "image_f1": 0.5, "pixel_f1": 0.4, "image_threshold": 0.31,
                    "pixel_threshold": 0.42},
        "undefined": {}, "synthetic": {"score": 0.66, "loss": 0.1}, "steps": 2700,
        "seconds": {"total": 12.5}, "peak_memory_gib": 1.5,
        "hardware": {"cpu": "some", "device": "cpu", "threads": 1},
        "packages": {"torch": "2"}, "git_commit": "c0ffee", "encoder_weights": "sha256:ab",
        "bottleneck_weights": "pretrained",
        "memory_samples": ["screw/train/good/000.png", "screw/train/good/004.png"],
        "held_out": ["screw/train/good/001.png"], "training_images": 20, "precision": "fp32",
        "baseline_image_auroc": 0.55, "weights_sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        "started_at": "2026-01-01T00:00:00+00:00", "ended_at": "2026-01-01T01:00:00+00:00",
        **changed,
    }  # fmt: skip


@contextlib.contextmanager
def killed_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Inside, the process "is killed" before a write when so many are done; gives their names."""
    real, done = Folder.write, list[str]()

    def killed(self: Folder, relative: str, data: bytes) -> None:
        if len(done) == writes:
            raise KeyboardInterrupt
        real(self, relative, data)
        done.append(relative)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            yield done


@pytest.fixture
def result_of() -> Callable[..., dict[str, Any]]:
    """Makes a trial's result: ``result_of(key, category, **changed)``."""
    return make_result


@pytest.fixture
def files_of() -> Callable[..., dict[str, bytes]]:
    """Makes a version's files: ``files_of(key, category, selection=..., **changed)``."""

    def make(
        key: str = "aaaa0001", category: str = "screw", selection: str = "synthetic", **changed: Any
    ) -> dict[str, bytes]:
        return version_files(make_result(key, category, **changed), WEIGHTS, selection)

    return make


@pytest.fixture
def weights() -> bytes:
    """The model.safetensors of the results."""
    return WEIGHTS
