"""From a sweep to predictions: the table's scores are those that the trial was judged by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from memseg.predict import main as predict
from memseg.storage import open_folder
from orchestrator.registry.registry import Registry
from orchestrator.sweep import main as sweep


@pytest.fixture(scope="module")
def workspace(
    small: Sequence[str], product_lines: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """With one published model of the product line "connector"."""
    folder = tmp_path_factory.mktemp("predictions") / "ws"
    code = sweep([
        "--config", "jobs/paper.yaml", "--name", "test", "--executor", "inline",
        "--data.root", str(product_lines), "--data.categories", "[connector]",
        "--workspace", str(folder), *small,
    ])  # fmt: skip
    assert code == 0
    return folder


def test_the_tables_auroc_is_the_trials(
    workspace: Path, product_lines: Path, tmp_path: Path
) -> None:
    images = product_lines / "connector" / "test"
    champion = f"{workspace}/registry/connector@champion"
    assert predict([champion, str(images), "--out", str(tmp_path / "out"), "--threads", "1"]) == 0
    (result,) = (workspace / "trials" / "connector").glob("*/result.json")
    expected = json.loads(result.read_text())["metrics"]
    for table in (
        pd.read_csv(tmp_path / "out" / "predictions.csv"),
        pd.read_parquet(tmp_path / "out" / "predictions.parquet"),
    ):
        anomalous = ~table["file"].str.startswith("good/")
        found = roc_auc_score(anomalous, table["score"])
        assert found == pytest.approx(expected["image_auroc"], abs=1e-6)
        # The best F1's threshold is a score of the trial's own evaluation: to the last digit.
        assert np.isclose(table["score"], expected["image_threshold"], rtol=0, atol=1e-12).any()


def test_the_version_has_thresholds_chosen_without_test_labels(
    workspace: Path, product_lines: Path, tmp_path: Path
) -> None:
    version = Registry(open_folder(workspace / "registry")).champion("connector")
    chosen = version.read_json("thresholds.json")["without_test_labels"]
    # Two or three held-out images cannot have the default rate.
    assert chosen["default"] == {"image": "best_f1_synthetic", "pixel": "false_positive_rate"}
    assert "needs at least 19 held-out" in chosen["absent"]["false_positive_rate"]["image"]
    out = str(tmp_path / "out")
    images = str(product_lines / "connector" / "test" / "good")
    assert predict([str(version.folder.path), images, "--out", out, "--overlays", "none"]) == 0
    about = json.loads((tmp_path / "out" / "prediction.json").read_text())
    image = chosen["policies"]["best_f1_synthetic"]["image"]["threshold"]
    assert about["thresholds"]["image"] == {"value": image, "policy": "best_f1_synthetic"}
    table = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    assert list(table["label"] == "anomalous") == list(table["score"] >= image)
