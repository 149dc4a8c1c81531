"""A version of the registry as a model, in PyTorch."""

from __future__ import annotations

from memseg.errors import RegistryError
from memseg.prediction.model import AS_EVALUATED, Model, Options, other_precision
from memseg.prediction.network_backend import NetworkBackend
from memseg.prediction.policy import choose
from memseg.prediction.restoring import config_of, other_method, restore
from memseg.training.execution import make_execution, set_threads
from memseg.versions.version import Version


def of_version(version: Version, options: Options) -> Model:
    """Raises as ``memseg.prediction.loading.load_model`` does."""
    if options.threads:
        set_threads(options.threads)
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
            *other_method(version),
            *other_precision(evaluated, precision),
        ),
    )
