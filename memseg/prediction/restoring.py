"""From a version to its configuration and its network: the one place where a model is opened.

Weights are read as safetensors, so that no code of a model file is ever run.
"""

from __future__ import annotations

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from memseg.config import MethodConfig, build
from memseg.errors import MemSegError, RegistryError, SettingError, WeightsError
from memseg.model.network import MemSegNet, restore_network
from memseg.versions.layout import MODEL
from memseg.versions.version import Version


def config_of(version: Version) -> MethodConfig:
    """What it was trained with. Raises RegistryError where this program cannot have that."""
    where = version.folder.at("config.json")
    value = version.read_json("config.json")
    settings = value.get("settings") if isinstance(value, dict) else None
    if not isinstance(settings, dict):
        raise RegistryError(f"{where} is damaged: it holds no settings")
    try:
        return build(MethodConfig, settings)
    except SettingError as error:
        raise RegistryError(
            f"{where} is of another version of this program, or was made by hand: {error}"
        ) from error


def weights_of(version: Version) -> dict[str, torch.Tensor]:
    """Name -> tensor, the memory images among them. Raises RegistryError, WeightsError."""
    try:
        found: dict[str, torch.Tensor] = load_tensors(version.read(MODEL))
    except (SafetensorError, ValueError, KeyError) as error:
        where = version.folder.at(MODEL)
        raise WeightsError(f"{where} is not a file of safetensors: {error}") from error
    return found


def restore(version: Version) -> MemSegNet:
    """Its network on the CPU, fp32, in eval mode. Raises RegistryError, WeightsError."""
    config, where = config_of(version), version.folder.at(MODEL)
    state = weights_of(version)
    try:
        network = restore_network(config, state)
    except MemSegError as error:
        raise WeightsError(f"{where} does not fit its config.json: {error}") from error
    if network.memory is not None and network.memory.side != config.image.size:
        raise WeightsError(
            f"{where} has memory images of {network.memory.side} pixels, its config.json an "
            f"image.size of {config.image.size}: the version is damaged"
        )
    return network
