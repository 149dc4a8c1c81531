"""A version as one ONNX file, checked against PyTorch before it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from memseg.errors import ExportError, SettingError
from memseg.export.metadata import Metadata
from memseg.export.onnx_model import OnnxModel
from memseg.export.parity import Parity, check_parity
from memseg.export.to_onnx import to_onnx, with_metadata
from memseg.prediction.restoring import config_of, other_method, restore
from memseg.storage import local_path, open_folder
from orchestrator.exporting.images import Images
from orchestrator.exporting.places import is_there
from orchestrator.registry.registry import Version


def export_onnx(
    version: Version, out: str, images: Callable[[int], Images] | None, say: Callable[[str], None]
) -> Parity | None:
    """Writes the version to the file ``out``, a path; whole or not at all.

    ``images``: gives real images at a size, to check the export on; None leaves the check out,
    and the file says so. Returns the check. Raises ExportError where the file does not compute
    what the model does; then nothing is written, and a file that was there stays.
    """
    path = local_path(out)
    if is_there(path, Path.is_dir):
        named = f"{out}/{version.category}.onnx"
        raise SettingError(f"--out {out} is a folder: name a file, like {named}")
    if path.suffix != ".onnx":
        raise SettingError(f"--out {out} must end in .onnx: predictions open no other file")
    metadata = describe(version)
    for warning in metadata.warnings:
        say(f"WARNING, also in the file: {warning}")
    # Before the export, which takes longer: whoever forgot the images need not wait for it.
    shown = None if images is None else images(metadata.size)
    network = restore(version)
    data = to_onnx(network, metadata)
    model = OnnxModel.from_bytes(data, out)
    if metadata.trained_in != "fp32":
        say(
            f"trained in {metadata.trained_in}, exported in fp32: its maps differ a little from "
            f"those of the trial, and are compared with PyTorch in fp32"
        )
    parity = None
    if shown is None:
        say("NOT CHECKED against PyTorch (--unchecked), and the file says so")
    else:
        parity = check_parity(network, model, shown.pixels, shown.names)
        say(f"{parity} ({shown.source})")
        if parity.problem:
            raise ExportError(
                f"{out} is not written: exported to ONNX, version {version.id} of "
                f"{version.category!r} does not compute what it does in PyTorch: {parity.problem}. "
                "Try another version of torch, onnxscript or onnxruntime, or --format torch"
            )
        data = with_metadata(data, replace(metadata, parity=parity.to_json()))
    open_folder(path.parent).write(path.name, data)
    say(f"{version.category}, version {version.id}: {path} ({len(data) / 1e6:.1f} MB)")
    return parity


def describe(version: Version) -> Metadata:
    """What the file will say about itself, from the version's own files. Raises RegistryError."""
    config = config_of(version)
    return Metadata(
        category=version.category,
        version=version.id,
        size=config.image.size,
        top_pixels=config.evaluation.top_pixels,
        trained_in=config.training.precision,
        thresholds=version.read_json("thresholds.json"),
        settings=version.read_json("config.json")["settings"],
        warnings=other_method(version),
    )
