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
from memseg.prediction.model import Model, Options, load_model
from memseg.prediction.stream import predict

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
