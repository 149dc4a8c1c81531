"""Results made up for these tests."""

from __future__ import annotations

from typing import Any

from orchestrator.planning.trial import default_settings

Result = dict[str, Any]


def result_of(key: str, category: str = "screw", **changed: Any) -> Result:
    settings = {**default_settings(), **changed.pop("settings", {})}
    image = changed.pop("image", 0.9)
    pixel, score = changed.pop("pixel", 0.95), changed.pop("score", 0.8)
    return {
        "key": key, "training_key": "t" + key, "category": category, "seed": 0,
        "method_version": 2, "settings": settings, "grid": {},
        "inputs": {"textures": "sha256:" + "a" * 64},
        "metrics": {"image_auroc": image, "pixel_auroc": pixel, "aupro": 0.9},
        "synthetic": {"score": score, "image_ap": score, "pixel_ap": score, "loss": 0.1,
                      "parts": {"shapes": {"image_ap": score, "pixel_ap": score}}},
        "steps": 300, "seconds": {"train": 600.0, "evaluate": 16.0, "step_median": 2.0},
        "encoder_weights": "sha256:" + "b" * 64, "bottleneck_weights": "random",
        "precision": "bf16", "training_images": 100, "baseline_image_auroc": 0.5,
        "memory_samples": ["m.png"] * 30, "held_out": ["h.png"] * 17,
        "hardware": {"cpu": "some", "device": "cpu", "threads": 2}, "packages": {"torch": "2.14"},
        "git_commit": "0123456789", "weights_sha256": "c" * 64,
        "started_at": "2026-11-25T06:00:00+00:00", "ended_at": "2026-11-25T06:10:00+00:00",
        **changed,
    }  # fmt: skip
