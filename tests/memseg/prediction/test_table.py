"""Tables keep every digit, and are whole or not there."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from memseg.prediction.policy import Threshold, Thresholds
from memseg.prediction.regions import Region, Regions
from memseg.prediction.stream import Found, Prediction
from memseg.prediction.table import CSV, PARQUET, ROWS_A_GROUP, SCHEMA, open_tables

THRESHOLDS = Thresholds(Threshold(0.1 + 0.2, "best_f1_test"), Threshold(0.7, "given"))


def found(file: str, score: float, *regions: Region) -> Prediction:
    whole = Regions(sum(r.area for r in regions), len(regions), regions)
    nothing = np.zeros((0, 0), np.uint8)
    return Prediction(
        file, Found(score, "normal", 80, 48, whole, nothing.astype(np.float32), nothing)
    )


def test_both_tables_hold_the_same_to_the_last_digit(tmp_path: Path) -> None:
    box = Region(3, 4, 5, 6, 21, 0.1 + 0.2)
    scores = [1 / 3, 0.1 + 0.2, 5e-324, 1.0]
    with open_tables(tmp_path, THRESHOLDS) as tables:
        for i, score in enumerate(scores):
            tables.add(found(f"a/{i}.png", score, *([box] if i else [])))
        tables.add(Prediction('odd, "name"\n.png', None, "it is broken, sadly"))
    table = pq.read_table(tmp_path / PARQUET)
    assert table.schema.equals(SCHEMA)
    assert table.column("score").to_pylist() == [*scores, None]
    assert table.column("boxes").to_pylist()[1] == [vars(box)]
    assert table.column("boxes").to_pylist()[0] == []
    metadata = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    assert metadata["threshold_policy"] == "best_f1_test"
    with (tmp_path / CSV).open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["score"] for row in rows] == [*map(repr, scores), ""]
    assert [float(row["threshold"]) for row in rows] == [0.1 + 0.2] * 5
    assert json.loads(rows[1]["boxes"]) == [vars(box)]
    assert rows[4]["file"] == 'odd, "name"\n.png'
    assert rows[4]["error"] == "it is broken, sadly"
    for name in ("score", "label", "area", "regions", "boxes", "width", "height"):
        assert rows[4][name] == ""
        assert table.column(name).to_pylist()[4] is None


def test_rows_are_written_in_groups(tmp_path: Path) -> None:
    count = 2 * ROWS_A_GROUP + 3
    with open_tables(tmp_path, THRESHOLDS) as tables:
        for i in range(count):
            tables.add(found(f"{i}.png", i / count))
            assert len(tables._rows) < ROWS_A_GROUP
    parquet = pq.ParquetFile(tmp_path / PARQUET)
    assert parquet.metadata.num_row_groups == 3
    assert parquet.read().column("file").to_pylist() == [f"{i}.png" for i in range(count)]


def _interrupted(folder: Path, error: BaseException) -> None:
    with open_tables(folder, THRESHOLDS) as tables:
        for i in range(2 * ROWS_A_GROUP):
            tables.add(found(f"{i}.png", 0.5))
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_run_leaves_the_tables_of_the_run_before(
    tmp_path: Path, error: type[BaseException]
) -> None:
    with open_tables(tmp_path, THRESHOLDS) as tables:
        tables.add(found("before.png", 0.5))
    before = {name: (tmp_path / name).read_bytes() for name in (CSV, PARQUET)}
    with pytest.raises(error):
        _interrupted(tmp_path, error())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
