"""python -m orchestrator.registry export."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from memseg.config import MethodConfig, build
from memseg.export import to_onnx as conversion
from memseg.export.onnx_model import OnnxModel
from memseg.export.parity import LIMIT
from memseg.model.network import MemSegNet, restore_network
from memseg.prediction.loading import load_model
from memseg.prediction.model import Options
from memseg.storage import open_folder
from orchestrator.exporting import to_onnx as exporting
from orchestrator.registry.__main__ import main
from orchestrator.registry.registry import Version
from orchestrator.registry.verify import verify


@pytest.fixture(scope="session")
def converted() -> dict[str, bytes]:
    """Exports by version: a conversion takes many seconds, and they are all of one network."""
    return {}


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch, converted: dict[str, bytes]) -> None:
    monkeypatch.delenv("MEMSEG_DATA_ROOT", raising=False)

    def convert(network: MemSegNet, metadata: Any) -> bytes:
        if metadata.version not in converted:
            converted[metadata.version] = conversion.to_onnx(network, metadata)
        return conversion.with_metadata(converted[metadata.version], metadata)

    monkeypatch.setattr(exporting, "to_onnx", convert)


def run(workspace: Path, *arguments: str) -> int:
    return main(["export", "screw", *arguments, "--workspace", str(workspace)])


def test_a_checked_onnx_file_of_the_champion(
    workspace: Path, data_root: Path, tmp_path: Path, network: MemSegNet,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "out/screw.onnx"
    folder = str(data_root / "screw/test")
    assert run(workspace, "--format", "onnx", "--out", str(out), "--images", folder) == 0
    said = capsys.readouterr().out
    assert "4 images compared with PyTorch: 4 with the same memory samples" in said
    assert "(limit 1e-03)" in said
    assert str(out) in said
    model = OnnxModel(out, threads=1)
    assert (model.category, model.version, model.size) == ("screw", "aaaa0001", 64)
    assert model.thresholds["image_threshold"] == 0.31
    assert model.metadata.parity is not None
    assert model.metadata.parity["images"] == 4
    images = np.random.default_rng(5).integers(0, 256, (2, 3, 64, 64)).astype(np.uint8)
    with torch.no_grad():
        own = network.anomaly_map(torch.from_numpy(images).float() / 255).numpy()
    assert np.abs(model.maps(images) - own).max() < LIMIT


def test_another_version_of_the_method_is_said_here_and_with_each_prediction(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("memseg.prediction.restoring.METHOD_VERSION", 99)
    out = tmp_path / "a.onnx"
    assert run(workspace, "--out", str(out), "--unchecked") == 0
    said = "this program has 99: scores may differ"
    assert said in " ".join(capsys.readouterr().out.split())
    model = load_model(str(out), Options(policy="best_f1_test"))
    assert any(said in warning for warning in model.warnings)


def test_without_images_those_it_was_tested_on_are_found(
    workspace: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("MEMSEG_DATA_ROOT", str(data_root))
    assert run(workspace, "--out", str(tmp_path / "a.onnx")) == 0
    assert f"the test images in {data_root}/screw" in capsys.readouterr().out


def test_without_any_images_nothing_is_exported(
    workspace: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "a.onnx"
    assert run(workspace, "--out", str(out)) == 2
    said = capsys.readouterr().err
    assert "give --images FOLDER" in said.replace("Give", "give")
    assert "--unchecked" in said
    other = tmp_path / "other"
    (other / "screw/train/good").mkdir(parents=True)
    for place in ("train/good/000.png", "test/good/001.png"):
        (other / "screw" / place).parent.mkdir(parents=True, exist_ok=True)
        (other / "screw" / place).write_bytes((data_root / "screw" / place).read_bytes())
    monkeypatch.setenv("MEMSEG_DATA_ROOT", str(other))
    assert run(workspace, "--out", str(out)) == 2
    assert "not those that the model was tested on" in capsys.readouterr().err
    assert not out.exists()


def test_unchecked_is_said_and_written_into_the_file(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.onnx"
    assert run(workspace, "--out", str(out), "--unchecked") == 0
    assert "NOT CHECKED" in capsys.readouterr().out
    assert OnnxModel(out, threads=1).metadata.parity is None


def test_a_file_that_computes_otherwise_is_not_written(
    workspace: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    real = exporting.restore

    def changed(version: Version) -> MemSegNet:
        network = real(version)
        with torch.no_grad():
            network.decoder.head[-1].bias[1] += 0.05
        return network

    out = tmp_path / "a.onnx"
    assert run(workspace, "--out", str(out), "--unchecked") == 0  # converts the true network
    before = out.read_bytes()
    monkeypatch.setattr(exporting, "restore", changed)
    folder = str(data_root / "screw/test")
    assert run(workspace, "--out", str(out), "--images", folder) == 1
    said = capsys.readouterr().err
    assert "is not written" in said
    assert "anomaly maps differ" in said
    assert out.read_bytes() == before


def test_training_in_bf16_is_said(
    workspace: Path, version: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    described = exporting.describe(version)
    assert described.trained_in == "fp32"
    assert described.settings["memory.samples"] == 2
    bf16 = dataclasses.replace(described, trained_in="bf16")
    monkeypatch.setattr(exporting, "describe", lambda _: bf16)
    assert run(workspace, "--out", str(tmp_path / "a.onnx"), "--unchecked") == 0
    assert "trained in bf16, exported in fp32" in capsys.readouterr().out
    assert OnnxModel(tmp_path / "a.onnx", threads=1).metadata.trained_in == "bf16"


def test_a_folder_for_torch_is_the_version_itself(
    workspace: Path, version: Version, tmp_path: Path, network: MemSegNet
) -> None:
    out = tmp_path / "for-torch"
    assert run(workspace, "aaaa", "--format", "torch", "--out", str(out)) == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == sorted([*version.manifest.files, "manifest.json"])
    for name in version.manifest.files:
        assert (out / name).read_bytes() == version.read(name)
    from safetensors.torch import load_file

    config = build(MethodConfig, json.loads((out / "config.json").read_text())["settings"])
    restored = restore_network(config, load_file(out / "model.safetensors"))
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(restored.anomaly_map(images), network.anomaly_map(images))
    assert verify_is_clean(workspace)


def verify_is_clean(workspace: Path) -> bool:
    from orchestrator.registry.registry import Registry

    return not verify(Registry(open_folder(workspace / "registry")))


def test_a_changed_version_is_not_copied(
    workspace: Path, version: Version, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(version.folder.path) / "thresholds.json").write_text("{}")
    out = tmp_path / "for-torch"
    assert run(workspace, "--format", "torch", "--out", str(out)) == 2
    assert "was changed since it was published" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ws"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "s3://bucket/a.onnx"], "local path"),
        (["--out", "a.bin", "--unchecked"], "must end in .onnx"),
        (["--out", "a.onnx", "--images", "x", "--unchecked"], "exclude each other"),
        (["--out", "a", "--format", "torch", "--unchecked"], "nothing to compare"),
        (["--out", "a", "--format", "pt2"], "invalid choice"),
        (["--out", "~nobody-here/a.onnx", "--unchecked"], "no such home folder"),
        (["--out", "~nobody-here/a", "--format", "torch"], "no such home folder"),
        (["--out", "x" * 300 + ".onnx", "--unchecked"], "File name too long"),
        (["--out", "x" * 300, "--format", "torch"], "File name too long"),
        (["zzzz", "--out", "a.onnx"], "'zzzz' names 0 versions"),
        ([], "--out"),
    ],
)
def test_wrong_commands(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(workspace, *arguments) == 2
    assert said in capsys.readouterr().err


def test_where_nothing_may_be_written(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, "--out", str(tmp_path), "--unchecked") == 2
    assert f"name a file, like {tmp_path}/screw.onnx" in capsys.readouterr().err
    assert run(workspace, "--out", str(tmp_path), "--format", "torch") == 2
    assert "exists already" in capsys.readouterr().err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(workspace, "--out", str(tmp_path / "a.onnx"), "--images", str(empty)) == 2
    assert "no images below" in capsys.readouterr().err


def test_a_folder_is_exported_without_torch(workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "for-torch"
    arguments = ["export", "screw", "--workspace", str(workspace), "--format", "torch"]
    code = (
        "import sys; from orchestrator.registry.__main__ import main; "
        f"code = main({[*arguments, '--out', str(out)]!r}); "
        "assert not {'torch', 'ray', 'onnx', 'onnxruntime'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (out / "model.safetensors").exists()
