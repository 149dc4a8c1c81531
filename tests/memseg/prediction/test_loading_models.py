"""From a version to a model, and what is not loaded."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from memseg.errors import (
    ExportError,
    MemSegError,
    RegistryError,
    SettingError,
    WeightsError,
)
from memseg.evaluation.maps import anomaly_maps
from memseg.model.network import MemSegNet
from memseg.prediction.loading import load_model
from memseg.prediction.model import Options
from memseg.training.execution import make_execution

Publish = Callable[..., Path]
SIDE = 64


def images(count: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 255, (count, 3, SIDE, SIDE)).astype(np.uint8)


def test_a_version_gives_the_maps_of_evaluation(
    publish: Publish, network: MemSegNet, tmp_path: Path
) -> None:
    folder = publish()
    seen = images(5)
    execution, evaluated = make_execution("cpu", "fp32", channels_last=True), copy.deepcopy(network)
    execution.place(evaluated)
    expected = anomaly_maps(evaluated, seen, execution)
    for location in (str(folder), f"{tmp_path}/ws/registry/screw@champion"):
        model = load_model(location)
        assert (model.category, model.id, model.top_pixels) == ("screw", "aaaa0001", 100)
        assert model.backend.size == SIDE
        maps = model.backend.maps(seen)
        assert maps.dtype == np.float32
        assert np.array_equal(maps, expected)
        assert model.warnings == ()
    assert model.backend.maps(seen[:0]).shape == (0, SIDE, SIDE)


def test_precision_and_thresholds_are_the_versions_unless_asked_for(publish: Publish) -> None:
    folder = str(publish())
    model = load_model(folder)
    assert model.backend.precision == "fp32"
    assert (model.thresholds.image.value, model.thresholds.pixel.value) == (0.5, 0.6)
    other = load_model(folder, Options(precision="bf16", policy="best_f1_test"))
    assert other.backend.precision == "bf16"
    assert other.thresholds.image.value == 0.31
    assert "evaluated in fp32 and predicts in bf16" in other.warnings[0]


def test_a_model_of_another_method_version_is_used_with_a_warning(
    publish: Publish, whole: dict[str, bytes]
) -> None:
    config = {**json.loads(whole["config.json"]), "method_version": 1}
    (warning,) = load_model(str(publish(config__json=config))).warnings
    assert "made by method version 1" in warning


@pytest.mark.parametrize("name", [
    "model.safetensors", "config.json", "preprocessing.json", "thresholds.json",
])  # fmt: skip
def test_a_missing_or_changed_file_is_an_error(publish: Publish, name: str) -> None:
    folder = publish()
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
    with pytest.raises(RegistryError, match=f"{name} was changed since it was published"):
        load_model(str(folder))
    (folder / name).unlink()
    with pytest.raises(RegistryError, match=f"{name} is missing"):
        load_model(str(folder))
    (folder / "manifest.json").unlink()
    with pytest.raises(RegistryError, match=r"has no manifest\.json"):
        load_model(str(folder))


def test_an_alias_to_a_version_that_is_gone_is_said(publish: Publish, tmp_path: Path) -> None:
    shutil.rmtree(publish())
    with pytest.raises(RegistryError, match="aaaa0001, which is gone"):
        load_model(f"{tmp_path}/ws/registry/screw@champion")


class Evil:
    """Runs code where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("with_torch", [False, True])
def test_no_code_of_a_model_is_run(publish: Publish, tmp_path: Path, with_torch: bool) -> None:
    mark = tmp_path / "it ran"
    file = tmp_path / "model.pth"
    if with_torch:
        torch.save({"a": Evil(mark)}, file)
    else:
        file.write_bytes(pickle.dumps(Evil(mark)))
    with pytest.raises(WeightsError, match="such files can run code"):
        load_model(str(file))
    # Also where it is dressed up as a version, with the right sums.
    folder = publish(model__safetensors=file.read_bytes())
    with pytest.raises(WeightsError, match="is not a file of safetensors"):
        load_model(str(folder))
    exported = tmp_path / "model.onnx"
    exported.write_bytes(file.read_bytes())
    with pytest.raises(ExportError):
        load_model(str(exported))
    assert not mark.exists()


def changed(data: bytes, name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> bytes:
    state = load_tensors(data)
    state[name] = change(state[name]).contiguous()
    return save_tensors(state)


@pytest.mark.parametrize(("name", "change"), [
    ("memory.images", lambda t: t[:, :, :32, :32]),
    ("memory.images", lambda t: t[:, :2]),
    ("memory.images", lambda t: t.float()),
    ("memory.images", lambda t: t[:0]),
    ("decoder.rise.0.0.weight", lambda t: t[:3]),
    ("decoder.rise.0.0.weight", lambda t: t * torch.nan),
])  # fmt: skip
def test_weights_made_by_someone_else_are_refused_in_one_message(
    publish: Publish, whole: dict[str, bytes], name: str, change: Any
) -> None:
    folder = publish(model__safetensors=changed(whole["model.safetensors"], name, change))
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        load_model(str(folder))


@pytest.mark.parametrize("files", [
    {"config__json": b"{"}, {"config__json": []}, {"config__json": {"settings": 3}},
    {"config__json": {"settings": {"image.size": "wide"}}},
    {"config__json": {"settings": {"image.sighs": 64}}},
    {"preprocessing__json": {"size": 128}}, {"preprocessing__json": 3},
    {"thresholds__json": b"\xff"}, {"thresholds__json": []},
    {"thresholds__json": b"[" * 100_000}, {"config__json": b'{"a":' * 100_000},
], ids=lambda files: str(files)[:60])  # fmt: skip
def test_damaged_descriptions_are_named(publish: Publish, files: dict[str, Any]) -> None:
    name = next(iter(files)).replace("__", r"\.")
    with pytest.raises(MemSegError, match=name) as raised:
        load_model(str(publish(**files)))
    assert len(str(raised.value)) < 600


def test_what_is_no_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="there is no model at"):
        load_model(str(tmp_path / "nothing"))
    with pytest.raises(SettingError, match="holds weights alone"):
        load_model(str(tmp_path / "model.safetensors"))
    with pytest.raises(ExportError, match="cannot read"):
        load_model(str(tmp_path / "model.onnx"))
    with pytest.raises(SettingError, match="fp32 on the CPU"):
        load_model(str(tmp_path / "model.onnx"), Options(precision="bf16"))
