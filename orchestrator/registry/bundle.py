"""From a finished trial to the files of a version. Pure: a trial always gives the same bytes.

So nothing here may depend on when or where it is published, only on the trial's committed result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memseg.errors import RegistryError
from memseg.versions.layout import FORMAT, MODEL, json_bytes, sum_of
from orchestrator.registry.card import render_card
from orchestrator.registry.curve import CURVE, PICTURE, draw_curve, parse_curve

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, applied inside the network (memseg.model.backbone)."""

_THRESHOLDS = ("image_threshold", "pixel_threshold")
_WITH_POLICIES = "image_threshold and pixel_threshold are the test set's; see without_test_labels"
_WITHOUT_POLICIES = (
    "the trial's result was written before thresholds were chosen without test labels: the test "
    "set's are all there is"
)
_PROVENANCE = (
    "category", "seed", "training_key", "method_version", "inputs", "encoder_weights",
    "bottleneck_weights", "memory_samples", "held_out", "training_images", "data_licence",
    "packages", "hardware", "precision", "seconds", "peak_memory_gib", "git_commit", "started_at",
    "ended_at", "weights_sha256",
)  # fmt: skip


def version_files(
    result: Mapping[str, Any],
    weights: bytes,
    selection: str,
    extra: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """File name -> bytes, for ``Registry.publish``.

    ``result``: a trial's ``result.json``; ``weights``: its ``model.safetensors``, memory images
    included; ``selection``: ``Choice.selection``, how the trial and its step were chosen;
    ``extra``: more files of the trial, such as ``examples.png`` and ``losses.csv``; the card
    shows those that it knows.

    Raises RegistryError for weights that are not the result's.
    """
    key, category = result["key"], result["category"]
    if sum_of(weights).sha256 != result["weights_sha256"]:
        raise RegistryError(
            f"the weights of trial {key} of {category!r} are not those its result was measured "
            f"with: delete its result.json and run the sweep again"
        )
    more = dict(extra or {})
    points = parse_curve(more.get(CURVE))
    if len(points) > 1:
        more[PICTURE] = draw_curve(points)
    return {
        **more,
        MODEL: weights,
        "config.json": json_bytes(_config(result)),
        "preprocessing.json": json_bytes(_preprocessing(result)),
        "thresholds.json": json_bytes(_thresholds(result)),
        "metrics.json": json_bytes(_metrics(result)),
        "provenance.json": json_bytes(_provenance(result, selection)),
        "MODEL_CARD.md": render_card(result, selection, points, tuple(more)).encode(),
    }


def _config(result: Mapping[str, Any]) -> dict[str, Any]:
    """``memseg.config.build(MethodConfig, value["settings"])`` makes the configuration again."""
    return {
        "format": FORMAT,
        "category": result["category"],
        "seed": result["seed"],
        "method_version": result["method_version"],
        "settings": result["settings"],
    }


def _preprocessing(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "size": result["settings"]["image.size"],
        "colour": "RGB",
        "crop": None,
        "resize_when_shrinking": "area",
        "resize_otherwise": "linear",
        "input_range": [0.0, 1.0],
        "mean": list(MEAN),
        "deviation": list(DEVIATION),
        "normalised_by": "the network",
    }


def _thresholds(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: result["metrics"].get(name) for name in _THRESHOLDS},
        "undefined": _undefined(result, _THRESHOLDS),
        "chosen_for": "best F1 on the test set: optimistic, choose your own before production",
        "without_test_labels": result.get("thresholds"),
        "note": _WITH_POLICIES if result.get("thresholds") else _WITHOUT_POLICIES,
        "image_score": "mean of the largest pixel scores",
        "image_score_pixels": result["settings"]["evaluation.top_pixels"],
    }


def _metrics(result: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in result["metrics"] if name not in _THRESHOLDS]
    return {
        "test": {name: result["metrics"][name] for name in names},
        "undefined": _undefined(result, names),
        "aupro_limit": result["settings"]["evaluation.aupro_limit"],
        "synthetic": result.get("synthetic"),
        "baseline_image_auroc": result.get("baseline_image_auroc"),
    }


def _undefined(result: Mapping[str, Any], names: Any) -> dict[str, str]:
    reasons = result.get("undefined") or {}
    return {name: reasons[name] for name in names if name in reasons}


def _provenance(result: Mapping[str, Any], selection: str) -> dict[str, Any]:
    return {
        "trial": result["key"],
        "selection": selection,
        "grid": result.get("grid") or {},
        **{name: result.get(name) for name in _PROVENANCE},
        # Of others it is left out: their bytes stay those of earlier programs.
        **({"warm_start": result["warm_start"]} if result.get("warm_start") else {}),
    }
