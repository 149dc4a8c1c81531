"""A model of the registry that trainings of its category may start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Start:
    """What a plan has to know of the model to decide whether a trial can start from it."""

    version: str
    weights: str
    """"sha256:<hex>" of its model.safetensors, from its manifest."""
    encoder_weights: str
    """Identity of the encoder's weights that it was trained with."""
    settings: Mapping[str, Any]
    """Of the method, by dotted name."""
    method_version: int
