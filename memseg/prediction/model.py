"""From a version, or an exported file, to what predicts. No code of a model file is ever run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from memseg.config import METHOD_VERSION, MethodConfig, build
from memseg.errors import MemSegError, RegistryError, SettingError, WeightsError
from memseg.model.network import MemSegNet, restore_network
from memseg.prediction.backend import Backend, NetworkBackend
from memseg.prediction.policy import Thresholds, choose
from memseg.training.execution import make_execution
from memseg.versions.finding import find_version
from memseg.versions.version import Version

WEIGHTS = "model.safetensors"
AS_EVALUATED = "as_evaluated"
_NOT_LOADED = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy", ".npz")


@dataclass(frozen=True)
class Options:
    """How a model is loaded; the defaults are those it was evaluated with."""

    device: str = "auto"
    """"auto", "cpu" or "cuda"."""
    precision: str = AS_EVALUATED
    """"as_evaluated", "fp32" or "bf16"; thresholds were chosen in the precision of evaluation."""
    policy: str | None = None
    """See memseg.prediction.policy."""
    image_threshold: float | None = None
    pixel_threshold: float | None = None


@dataclass(frozen=True)
class Model:
    """What predicts, with what it says about itself."""

    backend: Backend
    category: str
    id: str
    """The version's id, which is its trial's key."""
    location: str
    top_pixels: int
    """The image score is the mean of so many largest pixel scores."""
    thresholds: Thresholds
    warnings: tuple[str, ...] = ()


Loader = Callable[[str, Options], Model]

EXPORTED: Mapping[str, Loader] = {}
"""Ending of a model file -> what loads it. A new form of models is a line here."""


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
    if name.endswith((".safetensors", ".onnx")):
        known = ", ".join(EXPORTED) or "none"
        raise SettingError(
            f"{location} is one file; a model needs its settings and thresholds too: give the "
            f"folder of its version (exported files that can be read: {known})"
        )
    return _from_version(find_version(location), options)


def _from_version(version: Version, options: Options) -> Model:
    where = version.folder.at("config.json")
    value = version.read_json("config.json")
    config = _config(value, where)
    preprocessed = version.read_json("preprocessing.json")
    if not isinstance(preprocessed, dict) or preprocessed.get("size") != config.image.size:
        raise RegistryError(
            f"{version.folder.at('preprocessing.json')} and {where} disagree about the size of "
            "images: the version is damaged, publish its trial again"
        )
    thresholds = choose(
        version.read_json("thresholds.json"),
        version.folder.at("thresholds.json"),
        options.policy, options.image_threshold, options.pixel_threshold,
    )  # fmt: skip
    evaluated = config.training.precision
    precision = evaluated if options.precision == AS_EVALUATED else options.precision
    execution = make_execution(options.device, precision, config.training.channels_last)
    network = _network(config, version)
    return Model(
        backend=NetworkBackend(network, execution, config.image.size),
        category=version.category,
        id=version.id,
        location=version.folder.location,
        top_pixels=config.evaluation.top_pixels,
        thresholds=thresholds,
        warnings=_warnings(value, evaluated, precision, version.category),
    )


def _config(value: Any, where: str) -> MethodConfig:
    settings = value.get("settings") if isinstance(value, dict) else None
    if not isinstance(settings, dict):
        raise RegistryError(f"{where} is damaged: it holds no settings")
    try:
        return build(MethodConfig, settings)
    except SettingError as error:
        raise RegistryError(
            f"{where} is of another version of this program, or was made by hand: {error}"
        ) from error


def _network(config: MethodConfig, version: Version) -> MemSegNet:
    where = version.folder.at(WEIGHTS)
    try:
        state = load_tensors(version.read(WEIGHTS))
    except (SafetensorError, ValueError, KeyError) as error:
        raise WeightsError(f"{where} is not a file of safetensors: {error}") from error
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


def _warnings(value: Any, evaluated: str, precision: str, category: str) -> tuple[str, ...]:
    found = []
    made = value.get("method_version")
    if made != METHOD_VERSION:
        found.append(
            f"the model of {category} was made by method version {made}, this program has "
            f"{METHOD_VERSION}: scores, and so its thresholds, may differ from those it was "
            "evaluated with"
        )
    if precision != evaluated:
        found.append(
            f"the model was evaluated in {evaluated} and predicts in {precision}: its thresholds "
            "were chosen on scores of the other precision"
        )
    return tuple(found)
