"""A trial's result as it is kept with the code: small, and without a place or a host. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memseg.errors import DataError
from orchestrator.planning.reported_step import reported_step

_KEPT = (
    "key", "training_key", "category", "seed", "method_version", "settings", "metrics",
    "synthetic", "steps", "encoder_weights", "bottleneck_weights", "precision",
    "training_images", "baseline_image_auroc", "hardware", "git_commit", "started_at",
    "ended_at", "weights_sha256",
)  # fmt: skip
_COUNTED = ("memory_samples", "held_out")
_CONTENTS = ("train_fingerprint", "test_fingerprint", "start")
"""Of the inputs; ``start`` are the weights of a warm start. Files made earlier have none."""
_SECONDS = ("train", "evaluate", "step_median")


def reduce_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """What RESULTS.md needs of a ledger's result. Raises DataError where something is missing."""
    missing = [name for name in (*_KEPT, *_COUNTED, "inputs", "packages") if name not in result]
    if missing:
        raise DataError(f"the result of trial {result.get('key')} has no {', '.join(missing)}")
    if reported_step(result["settings"]).oracle:
        raise DataError(
            f"trial {result['key']}: its step was chosen by the test set (training.reported_step "
            "test), and RESULTS.md says of all of its figures that none was; "
            "name the sweeps to add with --sweep"
        )
    seconds = result.get("seconds") or {}
    return {
        **{name: result[name] for name in _KEPT},
        **{name: len(result[name]) for name in _COUNTED},
        "textures": result["inputs"]["textures"],
        **{name: result["inputs"].get(name) for name in _CONTENTS},
        "torch": result["packages"]["torch"],
        "seconds": {name: seconds.get(name) for name in _SECONDS},
    }
