"""From a version, or an exported file, to what predicts. No code of a model file is ever run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from memseg.config import METHOD_VERSION
from memseg.errors import RegistryError, SettingError, WeightsError
from memseg.export.onnx_model import OnnxModel
from memseg.prediction.backend import Backend, NetworkBackend
from memseg.prediction.policy import Thresholds, choose
from memseg.prediction.restoring import config_of, restore
from memseg.training.execution import make_execution
from memseg.versions.finding import find_version
from memseg.versions.version import Version

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
    return _from_version(find_version(location), options)


def _from_version(version: Version, options: Options) -> Model:
    where = version.folder.at("config.json")
    config = config_of(version)
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
    return Model(
        backend=NetworkBackend(restore(version), execution, config.image.size),
        category=version.category,
        id=version.id,
        location=version.folder.location,
        top_pixels=config.evaluation.top_pixels,
        thresholds=thresholds,
        warnings=(
            *_other_method(version),
            *_other_precision(evaluated, precision),
        ),
    )


def _from_onnx(location: str, options: Options) -> Model:
    """An exported file: it says of itself what a version's files say."""
    if options.precision == "bf16" or options.device == "cuda":
        raise SettingError(
            f"{location} is an exported file: it computes in fp32 on the CPU; leave --precision "
            "and --device away, or give its version"
        )
    backend = OnnxModel(location, threads=torch.get_num_threads())
    thresholds = choose(
        backend.thresholds,
        f"{location}, thresholds",
        options.policy, options.image_threshold, options.pixel_threshold,
    )  # fmt: skip
    return Model(
        backend=backend,
        category=backend.category,
        id=backend.version,
        location=location,
        top_pixels=backend.top_pixels,
        thresholds=thresholds,
        warnings=_other_precision(backend.metadata.trained_in, backend.precision),
    )


def _other_method(version: Version) -> tuple[str, ...]:
    made = version.read_json("config.json").get("method_version")
    if made == METHOD_VERSION:
        return ()
    return (
        f"the model of {version.category} was made by method version {made}, this program has "
        f"{METHOD_VERSION}: scores may differ from those that its thresholds were chosen on",
    )


def _other_precision(evaluated: str, precision: str) -> tuple[str, ...]:
    if precision == evaluated:
        return ()
    return (
        f"the model was evaluated in {evaluated} and predicts in {precision}: its thresholds were "
        "chosen on scores of the other precision",
    )


EXPORTED: Mapping[str, Callable[[str, Options], Model]] = {".onnx": _from_onnx}
"""Ending of a model file -> what loads it. A new form of models is a line here."""
