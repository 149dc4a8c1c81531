"""``python -m memseg.speed``: a version and a trial's weights; exit codes and messages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as save_tensors

from memseg.data.fingerprints import sha256
from memseg.model.network import MemSegNet
from memseg.speed import main
from tests.memseg.prediction.conftest import SETTINGS

Publish = Callable[..., Path]
QUICK = ["--batch", "1", "2", "--seconds", "0", "--threads", "1"]


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return " ".join(out.split()), " ".join(err.split())


@pytest.fixture
def trial(network: MemSegNet, tmp_path: Path) -> Path:
    """The folder of a finished trial that kept its weights."""
    folder = tmp_path / "trials" / "screw" / "bbbb0002"
    folder.mkdir(parents=True)
    weights = save_tensors({n: v.contiguous() for n, v in network.state_dict().items()})
    (folder / "model.safetensors").write_bytes(weights)
    result = {"category": "screw", "key": "bbbb0002", "settings": SETTINGS,
              "weights_sha256": sha256(weights)}  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_a_published_model(
    publish: Publish, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A version whose thresholds come from the test set alone has a speed too.
    publish(thresholds__json={"image_threshold": 0.3, "pixel_threshold": 0.2, "undefined": {}})
    out = tmp_path / "reports" / "speed.json"
    champion = f"{tmp_path}/ws/registry/screw@champion"
    assert main([champion, *QUICK, "--out", str(out)]) == 0
    told, errors = said(capsys)
    assert "Speed of screw, version aaaa0001" in told
    assert "1 thread, fp32" in told
    assert "3 memory samples" in told
    assert "memory comparison" in told
    assert "timing batches of 2" in errors
    report = json.loads(out.read_text())
    assert [b["batch"] for b in report["batches"]] == [1, 2]
    assert len(report["batches"][0]["seconds"]) >= 5
    assert report["frozen_parameters"] > 0


def test_a_trials_weights_in_another_precision(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(trial), "--batch", "1", "--seconds", "0", "--precision", "bf16"]) == 0
    told = said(capsys)[0]
    assert "Speed of screw, trial bbbb0002" in told
    assert "bf16" in told


def test_a_trial_that_cannot_be_opened_is_one_message(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (trial / "model.safetensors").write_bytes(b"changed")
    assert main([str(trial), *QUICK]) == 2
    assert "was changed since" in said(capsys)[1]
    (trial / "model.safetensors").unlink()
    assert main([str(trial), *QUICK]) == 2
    assert "has no model.safetensors: weights are kept for winners" in said(capsys)[1]
    (trial / "result.json").write_text("{}")
    assert main([str(trial), *QUICK]) == 2
    assert "is no result of a trial: it has no 'settings'" in said(capsys)[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--batch", "0"], "must be at least 1"),
        (["--seconds", "nan"], "must be a number of seconds"),
        (["--out", "speed.txt"], "must be a file that ends in .json"),
        (["--precision", "fp16"], "--precision"),
    ],
)
def test_a_wrong_command_is_one_message(
    capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["/nowhere/at/all", *options]) == 2
    assert words in said(capsys)[1]


def test_a_model_that_is_not_there_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere/at/all", *QUICK]) == 2
    assert "there is no model at /nowhere/at/all" in said(capsys)[1]


def test_a_device_that_is_not_there_is_one_message(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one here")
    assert main([str(publish()), "--device", "cuda"]) == 2
    assert "torch finds no CUDA device" in said(capsys)[1]


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from memseg.speed import main; assert main(['--help']) == 0; "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
