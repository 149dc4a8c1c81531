"""Encoder weights: where they come from, and whether they fit."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import URLError

import torch
import torchvision
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors

from memseg.config.encoder import (
    IMAGENET,
    IMAGENET_IDENTITY,
    RANDOM,
    read_encoder_file,
)
from memseg.errors import StorageError, WeightsError
from memseg.model.fit import misfits


@dataclass(frozen=True)
class EncoderWeights:
    """A ResNet18's weights by torchvision's names, or none: then they are random."""

    identity: str
    """"sha256:<hex>", "imagenet:<hash>" or "random"."""
    state: Mapping[str, torch.Tensor] | None

    @property
    def has_layer4(self) -> bool:
        """Whether the bottleneck starts from these weights, not from random ones."""
        return self.state is not None and any(name.startswith("layer4.") for name in self.state)


def load_encoder_weights(source: str, data: bytes | None = None) -> EncoderWeights:
    """Weights of "imagenet" (torchvision downloads 45 MB once), "random", or of a file.

    A file is a state_dict by torchvision's names, saved by torch or (``.safetensors``) by
    safetensors; nothing is unpickled but tensors. ``data``: its bytes where they have been read
    already. Raises WeightsError when the download fails or the file does not fit a ResNet18.
    """
    if source == RANDOM:
        return EncoderWeights(RANDOM, None)
    if source == IMAGENET:
        return EncoderWeights(IMAGENET_IDENTITY, _imagenet())
    data = read_encoder_file(source) if data is None else data
    state = _read(source, data)
    check_fits_resnet18(source, state)
    return EncoderWeights("sha256:" + hashlib.sha256(data).hexdigest(), state)


def check_fits_resnet18(source: str, state: Mapping[str, torch.Tensor]) -> None:
    """Raises WeightsError that names missing, unexpected and misshapen tensors.

    layer4 may be absent as a whole, MemSeg trains it; fc too, it is not used.
    """
    wanted = torchvision.models.resnet18(weights=None).state_dict()
    absent = {name for name in wanted if name.startswith("fc.") or name.endswith("_tracked")}
    if not any(name.startswith("layer4.") for name in state):
        absent |= {name for name in wanted if name.startswith("layer4.")}
    problems = misfits(state, wanted, absent)
    if problems:
        raise WeightsError(
            f"encoder_weights {source} does not fit a ResNet18 of torchvision: {problems} (only "
            "fc, and layer4 as a whole, may be absent)"
        )


def _imagenet() -> Mapping[str, torch.Tensor]:
    weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1
    try:
        state: Mapping[str, torch.Tensor] = weights.get_state_dict(progress=False, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise StorageError(
            f"encoder_weights imagenet: torchvision could not download them ({error}); give a "
            "file with --encoder_weights FILE"
        ) from error
    return state


def _read(source: str, data: bytes) -> Mapping[str, torch.Tensor]:
    try:
        if source.endswith(".safetensors"):
            state = load_safetensors(data)
        else:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (
        SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError,
        OSError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"encoder_weights {source} is not a file of weights: {reason[:200]}"
        ) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        raise WeightsError(
            f"encoder_weights {source} must hold a mapping of names to tensors (a state_dict), "
            f"got {_outline(state)}"
        )
    return state


def _outline(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(repr(name) for name in list(value)[:3])}"
    return type(value).__name__
