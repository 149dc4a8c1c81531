"""An exported file predicts as its version does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from memseg.export.metadata import Metadata
from memseg.export.to_onnx import to_onnx
from memseg.model.network import MemSegNet
from memseg.prediction.loading import load_model
from memseg.prediction.model import Model, Options
from memseg.prediction.stream import predict
from memseg.prediction.table import CSV
from memseg.timing.subject import open_subject, report_of
from tests.memseg.blocked import run_without

_NOT_NEEDED = (
    "torch", "torchvision", "ray", "onnx", "onnxscript", "scipy", "sklearn", "pandas",
    "safetensors", "jinja2", "yaml", "orchestrator",
)  # fmt: skip
"""The README names what is: numpy, onnxruntime, OpenCV, pyarrow, rich, matplotlib."""
_COMMAND = "import sys; from memseg.predict import main; sys.exit(main({arguments!r}))"

Draw = Callable[..., list[Path]]


@pytest.fixture(scope="session")
def exported(
    network: MemSegNet, whole: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A file of the network, which is said to have been trained in bf16."""
    settings = json.loads(whole["config.json"])["settings"]
    thresholds = json.loads(whole["thresholds.json"])
    metadata = Metadata("screw", "aaaa0001", 64, 100, "bf16", thresholds, settings)
    path = tmp_path_factory.mktemp("exported") / "screw.onnx"
    path.write_bytes(to_onnx(network, metadata))
    return str(path)


def test_it_predicts_as_the_version_does(
    model: Model, exported: str, draw: Draw, tmp_path: Path
) -> None:
    draw(5)
    other = load_model(exported)
    assert (other.category, other.id, other.backend.precision) == ("screw", "aaaa0001", "fp32")
    assert other.thresholds == model.thresholds
    assert "evaluated in bf16 and predicts in fp32" in other.warnings[0]
    pairs = zip(
        predict(model, str(tmp_path / "photos"), batch=2),
        predict(other, str(tmp_path / "photos"), batch=2),
    )
    for one, same in pairs:
        assert one.found is not None
        assert same.found is not None
        assert np.allclose(same.found.anomaly_map, one.found.anomaly_map, atol=1e-3)
        assert same.found.score == pytest.approx(one.found.score, abs=1e-3)


def test_thresholds_can_be_named_and_given(exported: str) -> None:
    found = load_model(exported, Options(policy="best_f1_test", pixel_threshold=0.1)).thresholds
    assert (found.image.value, found.pixel.value) == (0.31, 0.1)


def test_its_speed_is_measured_with_the_threads_that_were_asked_for(exported: str) -> None:
    for threads in (1, 2):
        subject = open_subject(exported, "auto", "as_evaluated", threads)
        assert report_of(subject, ()).threads == threads


def test_the_command_runs_it_where_torch_is_not_installed(
    exported: str, draw: Draw, tmp_path: Path
) -> None:
    draw(3)
    photos = str(tmp_path / "photos")
    for name in ("with", "without"):
        arguments = [exported, photos, "--out", str(tmp_path / name), "--threads", "1"]
        blocked = _NOT_NEEDED if name == "without" else ()
        done = run_without(blocked, _COMMAND.format(arguments=arguments))
        assert done.returncode == 0, done.stderr
    tables = [(tmp_path / name / CSV).read_text() for name in ("with", "without")]
    assert tables[0] == tables[1]
    assert tables[0].count("\n") == 4  # a header and three images
    about = json.loads((tmp_path / "without" / "prediction.json").read_text())
    assert about["threads"] == 1


def test_a_version_where_torch_is_not_installed_says_what_to_do(
    publish: Callable[..., Path], draw: Draw, tmp_path: Path
) -> None:
    draw(1)
    arguments = [str(publish()), str(tmp_path / "photos"), "--out", str(tmp_path / "out")]
    done = run_without(_NOT_NEEDED, _COMMAND.format(arguments=arguments))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "export --format onnx" in done.stderr
    assert "Traceback" not in done.stderr


def test_its_speed_is_measured_without_torch(exported: str) -> None:
    arguments = [exported, "--batch", "1", "--seconds", "0", "--threads", "1"]
    code = f"import sys; from memseg.speed import main; sys.exit(main({arguments!r}))"
    done = run_without(_NOT_NEEDED, code)
    assert done.returncode == 0, done.stderr
    assert "screw, version aaaa0001" in done.stdout
