"""What an exported ONNX file says about itself, as texts in its ``metadata_props``. Pure.

Whoever has only the file must be able to show it the right images and to judge its scores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memseg.data.categories import check_category_name
from memseg.errors import DataError, ExportError, RegistryError
from memseg.versions.layout import check_id

FORMAT = 1
"""Raised when an older program could not use the file rightly."""

_PREFIX = "memseg."
_FORMAT = _PREFIX + "format"
_JSON = ("thresholds", "settings", "parity")
_RULE = "mean of the largest pixel scores of the anomaly map"


@dataclass(frozen=True)
class Metadata:
    """Of one exported model."""

    category: str
    version: str
    """The version's id in the registry, which is its trial's key."""
    size: int
    """Side S of the images in pixels."""
    top_pixels: int
    """The image score is the mean of so many largest pixel scores."""
    trained_in: str
    """Precision of the training, "fp32" or "bf16"; an exported file computes in fp32."""
    thresholds: Mapping[str, Any]
    """What the version's thresholds.json holds."""
    settings: Mapping[str, Any]
    """All settings of the method by dotted name."""
    parity: Mapping[str, Any] | None = None
    """``Parity.to_json`` of the check on export; None where it was left out (``--unchecked``)."""
    warnings: Sequence[str] = ()
    """What whoever uses the file must know; said again with each prediction."""

    def to_props(self) -> dict[str, str]:
        """Key -> text, in a fixed order; ``from_props`` reads it."""
        return {
            _FORMAT: str(FORMAT),
            _PREFIX + "category": self.category,
            _PREFIX + "version": self.version,
            _PREFIX + "preprocessing": _text(preprocessing(self.size)),
            _PREFIX + "thresholds": _text(self.thresholds),
            _PREFIX + "image_score": _text({"rule": _RULE, "pixels": self.top_pixels}),
            _PREFIX + "precision": _text({"trained": self.trained_in, "exported": "fp32"}),
            _PREFIX + "settings": _text(self.settings),
            _PREFIX + "parity": _text(self.parity),
            _PREFIX + "warnings": _text(list(self.warnings)),
        }


def preprocessing(size: int) -> dict[str, Any]:
    """How an image becomes the file's input (``memseg.data.decoding`` does it)."""
    return {
        "input": f"images: uint8 (B, 3, {size}, {size}), 0 to 255",
        "size": size,
        "colour": "RGB",
        "crop": None,
        "resize_when_shrinking": "area",
        "resize_otherwise": "linear",
        "resize": "cv2.resize with INTER_AREA to the smaller of both sizes along each side, then "
        "with INTER_LINEAR to the size; the whole picture, whatever its sides",
        "normalised_by": "the file itself: divided by 255, then ImageNet's mean and deviation",
    }


def from_props(props: Mapping[str, str], where: str) -> Metadata:
    """What ``Metadata.to_props`` wrote. Raises ExportError naming ``where``.

    For a file without any of it, of a newer format, or with values that are none.
    """
    if _FORMAT not in props:
        raise ExportError(
            f"{where} is an ONNX file, but not one that this program exported: its metadata have "
            f"no {_FORMAT}; make one with python -m orchestrator.registry export CATEGORY"
        )
    if props[_FORMAT] != str(FORMAT):
        raise ExportError(
            f"{where} has format {props[_FORMAT]!r}, this program reads {FORMAT}: export the model "
            "again with this program, or run the file with the one that exported it"
        )
    try:
        values = {name: json.loads(props[_PREFIX + name]) for name in _JSON}
        found = Metadata(
            category=check_category_name(props[_PREFIX + "category"]),
            version=check_id(props[_PREFIX + "version"]),
            size=int(json.loads(props[_PREFIX + "preprocessing"])["size"]),
            top_pixels=int(json.loads(props[_PREFIX + "image_score"])["pixels"]),
            trained_in=str(json.loads(props[_PREFIX + "precision"])["trained"]),
            warnings=_warnings(props),
            **values,
        )
    except (
        ValueError, OverflowError, RecursionError, KeyError, TypeError, DataError, RegistryError,
    ) as error:  # fmt: skip
        raise ExportError(
            f"{where} has damaged metadata ({error!r}): export the model again"
        ) from error
    if not isinstance(found.thresholds, dict) or not isinstance(found.settings, dict):
        raise ExportError(f"{where} has damaged metadata (no object): export the model again")
    return found


def _warnings(props: Mapping[str, str]) -> tuple[str, ...]:
    """Raises ValueError for what a terminal must not be shown."""
    found = json.loads(props.get(_PREFIX + "warnings", "[]"))  # older files have none
    if not isinstance(found, list) or not all(
        isinstance(w, str) and w.isprintable() for w in found
    ):
        raise ValueError("warnings are no list of texts")
    return tuple(found)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
