"""An exported file runs where torch, Ray and what exporting needs cannot be imported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from memseg.export.onnx_model import OnnxModel
from memseg.metrics.image_score import image_score
from tests.memseg.blocked import run_without

_CODE = """
import numpy as np
import memseg.data.decoding
from memseg.export.onnx_model import OnnxModel
from memseg.metrics.image_score import image_score

model = OnnxModel({file!r}, threads=1)
maps = model.maps(np.load({images!r}))
np.savez({out!r}, maps=maps, scores=image_score(maps, model.top_pixels))
"""
_BLOCKED = (
    "torch", "torchvision", "ray", "onnx", "onnxscript", "scipy", "sklearn", "pandas", "pyarrow",
    "safetensors", "matplotlib", "jinja2", "yaml", "rich", "orchestrator",
)  # fmt: skip


def test_maps_are_the_same_without_torch(
    exported: bytes, model: OnnxModel, images: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    (tmp_path / "screw.onnx").write_bytes(exported)
    np.save(tmp_path / "images.npy", images)
    code = _CODE.format(
        file=str(tmp_path / "screw.onnx"),
        images=str(tmp_path / "images.npy"),
        out=str(tmp_path / "out.npz"),
    )
    done = run_without(_BLOCKED, code)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "out.npz")
    np.testing.assert_array_equal(found["maps"], model.maps(images))
    np.testing.assert_allclose(found["scores"], image_score(model.maps(images), 100))


def test_without_onnxruntime_the_message_says_what_to_install(
    exported: bytes, tmp_path: Path
) -> None:
    (tmp_path / "screw.onnx").write_bytes(exported)
    code = _CODE.format(file=str(tmp_path / "screw.onnx"), images="", out="")
    done = run_without(["onnxruntime"], code)
    assert "SettingError" in done.stderr
    assert "pip install onnxruntime" in done.stderr
