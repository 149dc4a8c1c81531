"""Long tables as files."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest

from orchestrator.aggregation import formats

COLUMNS = {"category": str, "seed": int, "pixel_auroc": float}
VALUES = {
    "category": ["screw", "screw", "tile", None, "wood"],
    "seed": [0, 1, None, 3, 4],
    "pixel_auroc": [0.5, None, 0.25, 1.0, 0.0],
}


@pytest.mark.parametrize("rows_a_group", [1, 2, 5, 100])
def test_parquet_made_in_groups_holds_every_row_in_order(
    rows_a_group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "_ROWS_A_GROUP", rows_a_group)
    data = formats.columns_to_parquet(VALUES, COLUMNS)
    assert pq.read_table(io.BytesIO(data)).to_pydict() == VALUES


def test_parquet_without_rows_keeps_its_columns() -> None:
    data = formats.columns_to_parquet({name: [] for name in COLUMNS}, COLUMNS)
    schema = pq.read_table(io.BytesIO(data)).schema
    assert [str(schema.field(name).type) for name in COLUMNS] == ["string", "int64", "double"]
