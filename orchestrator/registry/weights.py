"""A version's tensors without torch: for looking at them, and for exports."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from memseg.errors import RegistryError
from memseg.versions.layout import MODEL
from memseg.versions.version import Version


def read_tensors(version: Version) -> dict[str, npt.NDArray[Any]]:
    """Name -> array of ``model.safetensors``, checked. Raises RegistryError."""
    try:
        tensors: dict[str, npt.NDArray[Any]] = safetensors.numpy.load(version.read(MODEL))
    except SafetensorError as error:
        raise RegistryError(f"{version.folder.at(MODEL)} holds no tensors: {error}") from error
    return tensors
