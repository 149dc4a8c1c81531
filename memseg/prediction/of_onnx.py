"""An exported ONNX file as a model. Imports no torch."""

from __future__ import annotations

from memseg.errors import SettingError
from memseg.export.onnx_model import OnnxModel
from memseg.prediction.model import Model, Options, other_precision
from memseg.prediction.policy import choose


def of_onnx(location: str, options: Options) -> Model:
    """An exported file: it says of itself what a version's files say."""
    if options.precision == "bf16" or options.device == "cuda":
        raise SettingError(
            f"{location} is an exported file: it computes in fp32 on the CPU; leave --precision "
            "and --device away, or give its version"
        )
    backend = OnnxModel(location, threads=options.threads)
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
        warnings=(
            *backend.metadata.warnings,
            *other_precision(backend.metadata.trained_in, backend.precision),
        ),
    )
