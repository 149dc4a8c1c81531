"""From a version, or a trial's kept weights, to configuration and network: where models are opened.

Weights are read as safetensors, so that no code of a model file is ever run.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from memseg.config import METHOD_VERSION, MethodConfig, build
from memseg.data.fingerprints import sha256
from memseg.errors import MemSegError, RegistryError, SettingError, WeightsError
from memseg.model.network import MemSegNet, restore_network
from memseg.storage import Folder, folder_exists, open_folder
from memseg.versions.layout import MANIFEST, MODEL
from memseg.versions.version import Version

_RESULT = "result.json"


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


def other_method(version: Version) -> tuple[str, ...]:
    """A warning where the version was made by another version of the method, else nothing."""
    made = version.read_json("config.json").get("method_version")
    if made == METHOD_VERSION:
        return ()
    return (
        f"the model of {version.category} was made by method version {made}, this program has "
        f"{METHOD_VERSION}: scores may differ from those that its thresholds were chosen on",
    )


def weights_of(version: Version) -> dict[str, torch.Tensor]:
    """Name -> tensor, the memory images among them. Raises RegistryError, WeightsError."""
    return _tensors(version.read(MODEL), version.folder.at(MODEL))


def restore(version: Version) -> MemSegNet:
    """Its network on the CPU, fp32, in eval mode. Raises RegistryError, WeightsError."""
    return _network(config_of(version), version.read(MODEL), version.folder.at(MODEL))


@dataclass(frozen=True)
class TrialModel:
    """What a finished trial left."""

    category: str
    key: str
    config: MethodConfig
    network: MemSegNet
    """On the CPU, fp32, in eval mode."""


def is_trial(location: str) -> bool:
    """Whether a folder is a finished trial's: it has a result, and no manifest of a version."""
    if not folder_exists(location):
        return False
    folder = open_folder(location)
    return folder.exists(_RESULT) and not folder.exists(MANIFEST)


def restore_trial(folder: Folder) -> TrialModel:
    """The model of a finished trial, WORKSPACE/trials/CATEGORY/KEY, that kept its weights.

    Raises WeightsError where the weights are gone or were changed, SettingError for settings of
    another version of this program, RegistryError for a result that is damaged, StorageError.
    """
    where, result = folder.at(_RESULT), folder.read_json(_RESULT)
    try:
        settings, sum_of_weights = dict(result["settings"]), result["weights_sha256"]
        category, key = str(result["category"]), str(result["key"])
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryError(f"{where} is no result of a trial: it has no {error}") from error
    if not folder.exists(MODEL):
        raise WeightsError(
            f"{folder.path} has no {MODEL}: weights are kept for winners alone unless the sweep "
            "is told otherwise; give the version that was published, or run the trial again"
        )
    data = folder.read(MODEL)
    if sha256(data) != sum_of_weights:
        raise WeightsError(f"{folder.at(MODEL)} was changed since {where} was written")
    config = build(MethodConfig, settings)
    return TrialModel(category, key, config, _network(config, data, folder.at(MODEL)))


def _network(config: MethodConfig, data: bytes, where: str) -> MemSegNet:
    state = _tensors(data, where)
    try:
        network = restore_network(config, state)
    except MemSegError as error:
        raise WeightsError(f"{where} does not fit its settings: {error}") from error
    if network.memory is not None and network.memory.side != config.image.size:
        raise WeightsError(
            f"{where} has memory images of {network.memory.side} pixels, its settings an "
            f"image.size of {config.image.size}: it is damaged"
        )
    return network


def _tensors(data: bytes, where: str) -> dict[str, torch.Tensor]:
    try:
        found: dict[str, torch.Tensor] = load_tensors(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise WeightsError(f"{where} is not a file of safetensors: {error}") from error
    return found
