"""Predictions as a table, Parquet and CSV, written a row at a time.

Both lie beside their names until they are whole: an interrupted run leaves the tables of the run
before, or none.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from memseg.prediction.policy import Thresholds
from memseg.prediction.stream import Prediction

PARQUET, CSV = "predictions.parquet", "predictions.csv"
ROWS_A_GROUP = 1024

_BOX = pa.struct(
    [(name, pa.int32()) for name in ("left", "top", "width", "height")]
    + [("area", pa.int64()), ("score", pa.float64())]
)
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("score", pa.float64()),
        ("label", pa.string()),
        ("threshold", pa.float64()),
        ("area", pa.int64()),
        ("regions", pa.int32()),
        ("boxes", pa.list_(_BOX)),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("error", pa.string()),
    ]
)
"""score, label, area, regions, boxes, width and height are empty where there is an error."""


class Tables:
    """Both tables of one run."""

    def __init__(self, parquet: pq.ParquetWriter, text: Any, thresholds: Thresholds) -> None:
        """Use ``open_tables``."""
        self._parquet, self._csv = parquet, csv.writer(text, lineterminator="\n")
        self._csv.writerow(SCHEMA.names)
        self._threshold = thresholds.image.value
        self._rows: list[dict[str, Any]] = []

    def add(self, prediction: Prediction) -> None:
        """One more row."""
        row = _row(prediction, self._threshold)
        self._csv.writerow([_cell(row[name]) for name in SCHEMA.names])
        self._rows.append(row)
        if len(self._rows) == ROWS_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Writes what has been added as a row group."""
        if self._rows:
            self._parquet.write_table(pa.Table.from_pylist(self._rows, SCHEMA))
            self._rows.clear()


@contextlib.contextmanager
def open_tables(folder: Path, thresholds: Thresholds) -> Iterator[Tables]:
    """Tables that get their names in ``folder`` when the block ends without an error."""
    parts = {name: folder / f".{name}.{os.getpid()}.part" for name in (PARQUET, CSV)}
    described = SCHEMA.with_metadata(
        {
            "threshold_policy": thresholds.image.policy,
            "pixel_threshold": repr(thresholds.pixel.value),
            "pixel_threshold_policy": thresholds.pixel.policy,
        }
    )
    try:
        with (
            pq.ParquetWriter(parts[PARQUET], described) as parquet,
            parts[CSV].open("w", encoding="utf-8", newline="") as text,
        ):
            tables = Tables(parquet, text, thresholds)
            yield tables
            tables.flush()
        for name, part in parts.items():
            with part.open("rb+") as stream:
                os.fsync(stream.fileno())
            part.replace(folder / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _row(prediction: Prediction, threshold: float) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    row |= {"file": prediction.file, "threshold": threshold}
    if prediction.found is None:
        return row | {"error": prediction.error}
    found = prediction.found
    return row | {
        "score": found.score,
        "label": found.label,
        "area": found.regions.area,
        "regions": found.regions.count,
        "boxes": [vars(region).copy() for region in found.regions.largest],
        "width": found.width,
        "height": found.height,
    }


def _cell(value: Any) -> str:
    """As CSV has it: numbers with all their digits, boxes as JSON, nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value) if isinstance(value, list) else str(value)
