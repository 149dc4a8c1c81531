"""Runs an exported ONNX file. Imports numpy and onnxruntime, and no torch.

B batch, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memseg.cores import available_cores
from memseg.errors import DataError, ExportError, SettingError, is_out_of_memory
from memseg.export.metadata import Metadata, from_props
from memseg.export.wire import read_contents

INPUT = "images"
MAPS, SCORES, SAMPLES, MARGINS = "anomaly_map", "image_score", "memory_sample", "margin"
_OWN_DOMAINS = frozenset({"", "ai.onnx"})
_ERRORS = 3
"""onnxruntime's severity: warnings are not for the person who runs a model."""


@dataclass(frozen=True)
class Found:
    """What the model says of B images."""

    maps: npt.NDArray[np.float32]
    """(B, S, S) probability of being anomalous, in [0, 1]."""
    scores: npt.NDArray[np.float32]
    """(B,) image scores, in [0, 1]."""
    samples: npt.NDArray[np.int64] | None
    """(B, 3) index of the nearest memory sample at levels 1, 2, 3; None without memory."""
    margins: npt.NDArray[np.float32] | None
    """(B, 3) in [0, 1]: by how much it is nearer than the second, see memseg.export.search."""


class OnnxModel:
    """One exported model, on the CPU."""

    def __init__(self, path: str | Path, threads: int = 0) -> None:
        """``threads`` of one operation; 0 for all cores of this process.

        Raises ExportError for a file that is not there, is no ONNX, was not exported by this
        program, has a newer format, operators of others, or weights in other files;
        SettingError where onnxruntime is not installed.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ExportError(f"cannot read {path}: {error.strerror or error}") from error
        self._open(data, str(path), threads)

    @classmethod
    def from_bytes(cls, data: bytes, where: str, threads: int = 0) -> OnnxModel:
        """The same of a file's bytes; ``where`` is for messages."""
        made = cls.__new__(cls)
        made._open(data, where, threads)
        return made

    def _open(self, data: bytes, where: str, threads: int) -> None:
        self._where = where
        self.metadata = checked_metadata(data, where)
        self._threads = threads or available_cores()
        self._session = _session(data, where, self._threads)
        self._outputs = [output.name for output in self._session.get_outputs()]
        _check_signature(self._session, self._outputs, self.metadata.size, where)

    @property
    def category(self) -> str:
        """The product line it was trained for."""
        return self.metadata.category

    @property
    def version(self) -> str:
        """The version's id in the registry."""
        return self.metadata.version

    @property
    def size(self) -> int:
        """Side S of the images in pixels."""
        return self.metadata.size

    @property
    def precision(self) -> str:
        """Whatever it was trained in, an exported file computes in this."""
        return "fp32"

    @property
    def threads(self) -> int:
        """Of one operation on the CPU."""
        return self._threads

    @property
    def top_pixels(self) -> int:
        """The image score is the mean of so many largest pixel scores."""
        return self.metadata.top_pixels

    @property
    def thresholds(self) -> Mapping[str, Any]:
        """What the version's thresholds.json holds."""
        return self.metadata.thresholds

    def maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probability of being anomalous, (B, S, S) in [0, 1]; ``images`` as in ``run``."""
        return self.run(images).maps

    def run(self, images: npt.NDArray[np.uint8]) -> Found:
        """``images``: (B, 3, S, S) uint8, RGB, all B at once. Raises DataError for others.

        Raises ExportError where the file gives no anomaly maps of them: then it was changed.
        """
        shape = (3, self.size, self.size)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != shape:
            raise DataError(
                f"images must be uint8 (B, 3, {self.size}, {self.size}) for this model, got "
                f"{images.dtype} {images.shape}"
            )
        if not len(images):
            return self._nothing()
        try:
            values = self._session.run(self._outputs, {INPUT: np.ascontiguousarray(images)})
        except _raised() as error:
            reason = " ".join(str(error).split())[:300]
            if is_out_of_memory(error):
                raise MemoryError(reason) from error
            raise ExportError(f"{self._where} cannot be run ({reason}): export it again") from error
        found = dict(zip(self._outputs, values))
        for name, wanted in ((MAPS, (len(images), self.size, self.size)), (SCORES, (len(images),))):
            if (found[name].shape, found[name].dtype) != (wanted, np.float32):
                raise ExportError(
                    f"{self._where} gives {name} of {found[name].dtype} {found[name].shape}, not "
                    f"float32 {wanted}: it was changed; export it again"
                )
        return Found(found[MAPS], found[SCORES], found.get(SAMPLES), found.get(MARGINS))

    def _nothing(self) -> Found:
        memory = SAMPLES in self._outputs
        return Found(
            np.zeros((0, self.size, self.size), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, 3), np.int64) if memory else None,
            np.zeros((0, 3), np.float32) if memory else None,
        )


def checked_metadata(data: bytes, where: str) -> Metadata:
    """A file's metadata, after a look at all that it consists of. Raises ExportError."""
    try:
        contents = read_contents(data)
    except (ValueError, UnicodeDecodeError) as error:
        raise ExportError(
            f"{where} is not an ONNX file, or is damaged: {error}; export it again"
        ) from error
    if not contents.graphs:
        raise ExportError(f"{where} is not an ONNX file: it holds no graph; export it again")
    metadata = from_props(contents.props, where)
    others = sorted(contents.domains - _OWN_DOMAINS)
    if others:
        raise ExportError(
            f"{where} has operators that are not ONNX's own ({', '.join(others)}): this program "
            "exports none, so it was changed; export it again"
        )
    if contents.elsewhere:
        raise ExportError(
            f"{where} keeps {contents.elsewhere} tensors in other files: this program exports one "
            "file with everything in it, so it was changed; export it again"
        )
    return metadata


def _session(data: bytes, where: str, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise SettingError(
            f"onnxruntime is needed to run {where} and cannot be imported ({error}): "
            "pip install onnxruntime"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _raised() as error:
        reason = " ".join(str(error).split())[:300]
        raise ExportError(
            f"onnxruntime {onnxruntime.__version__} cannot open {where} ({reason}): export it "
            "again, or install a newer onnxruntime"
        ) from error


def _raised() -> tuple[type[Exception], ...]:
    """What onnxruntime raises; by name, for it is imported only where a model is opened."""
    from onnxruntime.capi import onnxruntime_pybind11_state as raised

    return (
        raised.Fail, raised.InvalidArgument, raised.InvalidGraph, raised.InvalidProtobuf,
        raised.NotImplemented, raised.RuntimeException,
    )  # fmt: skip


def _check_signature(session: Any, outputs: list[str], size: int, where: str) -> None:
    inputs = [(i.name, i.type, list(i.shape[1:])) for i in session.get_inputs()]
    if inputs != [(INPUT, "tensor(uint8)", [3, size, size])] or not {MAPS, SCORES} <= set(outputs):
        raise ExportError(
            f"{where} does not take images of {size} pixels as its metadata say, or gives no "
            f"{MAPS} and {SCORES}: it was changed; export it again"
        )
