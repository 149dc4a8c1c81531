"""A network to the bytes of one ONNX file, memory and weights inside."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from memseg.errors import ExportError, SettingError
from memseg.export.exportable import Exportable
from memseg.export.metadata import Metadata
from memseg.export.onnx_model import INPUT, MAPS, MARGINS, SAMPLES, SCORES
from memseg.model.network import MemSegNet

OPSET = 20
"""Of ONNX's operators: onnxruntime reads it since 1.17."""

MOST_BYTES = 2**31 - 2**20
"""A protobuf message holds less than 2 GiB, and so does one ONNX file."""


def to_onnx(network: MemSegNet, metadata: Metadata) -> bytes:
    """The file's bytes, not yet checked against the network (``memseg.export.parity``).

    The number of images is free, their size is not. It computes in fp32 whatever the network
    was trained in. Raises SettingError where what exporting needs is not installed, ExportError
    where the memory is too large for one file.
    """
    _check_installed()
    model = Exportable(network, metadata.top_pixels)
    _check_size(model, metadata)
    outputs = [MAPS, SCORES, *((SAMPLES, MARGINS) if model.levels else ())]
    # Two images: the exporter takes a batch of one for a constant.
    images = torch.zeros(2, 3, metadata.size, metadata.size, dtype=torch.uint8)
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            model,
            (images,),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=outputs,
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        )
    if program is None:
        raise ExportError("torch.onnx.export gave no program: use a newer torch")
    return with_metadata(_bare(program.model_proto), metadata)


def with_metadata(file: bytes | Any, metadata: Metadata) -> bytes:
    """An ONNX file's bytes with these metadata in place of any that it had."""
    import onnx

    model = onnx.load_model_from_string(file) if isinstance(file, bytes) else file
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata.to_props())
    return bytes(model.SerializeToString(deterministic=True))


def _bare(model: Any) -> Any:
    """Without what the exporter notes about this machine: paths and stack traces."""
    _bare_graph(model.graph)
    return model


def _bare_graph(graph: Any) -> None:
    graph.doc_string = ""
    del graph.metadata_props[:]
    for part in (*graph.input, *graph.output, *graph.value_info, *graph.initializer, *graph.node):
        part.doc_string = ""
        del part.metadata_props[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):  # the loop over memory samples
                _bare_graph(attribute.g)


def _check_installed() -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise SettingError(
            f"exporting to ONNX needs onnx and onnxscript ({error}): pip install "
            "'memseg-orchestrator[export]'"
        ) from error


def _check_size(model: Exportable, metadata: Metadata) -> None:
    tensors: Mapping[str, torch.Tensor] = model.state_dict()
    size = sum(t.numel() * t.element_size() for t in tensors.values() if t.is_floating_point())
    if size > MOST_BYTES:
        raise ExportError(
            f"version {metadata.version} of {metadata.category!r} needs {size / 2**30:.1f} GiB "
            "with its memory's features, one ONNX file holds less than 2: use --format torch, or "
            "train with fewer memory.samples"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's notes are for its own developers."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)
