"""From what a person writes to a model that predicts. No code of a model file is ever run.

PyTorch is imported for a version of the registry alone: an exported file is run without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from memseg.errors import SettingError, WeightsError
from memseg.prediction.model import Model, Options
from memseg.prediction.of_onnx import of_onnx
from memseg.versions.finding import find_version

_NOT_LOADED = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy", ".npz")
OF_A_VERSION = ("torch", "torchvision", "safetensors", "scipy", "sklearn")
"""What a version takes and an exported file does not."""


def load_model(location: str, options: Options | None = None) -> Model:
    """A model from what a person writes.

    ``location``: the folder of a version, REGISTRY/CATEGORY@ALIAS, or an exported file. Each file
    is checked against the version's manifest. Raises RegistryError where there is no model, or
    one that is damaged or was changed; WeightsError for weights of another network; SettingError
    for a threshold that it does not have; DeviceError; StorageError.
    """
    options = options or Options()
    name = location.rpartition("/")[2].lower()
    for ending, load in EXPORTED.items():
        if name.endswith(ending):
            return load(location, options)
    if name.endswith(_NOT_LOADED):
        raise WeightsError(
            f"{location} is not opened: such files can run code when they are read. Give the "
            "folder of a version, whose weights are safetensors"
        )
    if name.endswith(".safetensors"):
        raise SettingError(
            f"{location} holds weights alone; a model needs its settings and thresholds too: give "
            f"the folder of its version, or an exported file ({', '.join(EXPORTED)})"
        )
    return _from_version(location, options)


def _from_version(location: str, options: Options) -> Model:
    version = find_version(location)
    try:
        from memseg.prediction.of_version import of_version
    except ModuleNotFoundError as error:
        if error.name not in OF_A_VERSION:
            raise
        raise SettingError(
            f"{location} is a version of the registry, which takes {error.name} and that is not "
            "installed: pip install it, or give the file that `orchestrator.registry export "
            "--format onnx` makes of the version"
        ) from error
    return of_version(version, options)


EXPORTED: Mapping[str, Callable[[str, Options], Model]] = {".onnx": of_onnx}
"""Ending of a model file -> what loads it. A new form of models is a line here."""
