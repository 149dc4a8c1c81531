"""A process that publishes trials until it is killed, or as many as it is told; without torch.

    python -m tests.registry_publisher LOCATION CATEGORY promote KEY...

``promote``: 1 to make each version champion too, so that aliases and history are written all the
time; 0 not to. Says "ready" when everything is imported, and begins at a line of input.
"""

from __future__ import annotations

import hashlib
import random
import sys
from typing import Any

from memseg.storage import open_folder
from orchestrator.planning.trial import default_settings
from orchestrator.registry.bundle import version_files
from orchestrator.registry.registry import Registry

MODEL_BYTES = 2_000_000


def weights_of(key: str) -> bytes:
    """A safetensors file of some megabytes, another one for each key."""
    header = b'{"x":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (MODEL_BYTES, MODEL_BYTES)
    return len(header).to_bytes(8, "little") + header + random.Random(key).randbytes(MODEL_BYTES)


def result_of(key: str, category: str, weights: bytes) -> dict[str, Any]:
    """A trial's result, as far as a version needs it."""
    return {
        "key": key, "category": category, "seed": 0, "method_version": 1, "steps": 2700,
        "settings": dict(default_settings()), "metrics": {"image_auroc": 0.9, "pixel_auroc": 0.9,
        "aupro": 0.8}, "inputs": {"train_fingerprint": "a", "test_fingerprint": "b",
        "textures": "procedural:1"}, "encoder_weights": "sha256:ab",
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "ended_at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip


def main() -> None:
    """Publishes the keys in their order."""
    location, category, promote, *keys = sys.argv[1:]
    registry = Registry(open_folder(location))
    print("ready", flush=True)
    sys.stdin.readline()
    for key in keys:
        weights = weights_of(key)
        curve = {"losses.csv": b"step,loss,l1,focal\n20,1,1,1\n40,0.5,1,1\n"}
        result = result_of(key, category, weights)
        registry.publish(category, key, version_files(result, weights, "synthetic", curve))
        if promote == "1":
            registry.promote(category, key, "published")


if __name__ == "__main__":
    main()
