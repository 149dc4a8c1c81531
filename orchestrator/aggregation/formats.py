"""Rows as CSV, JSON and parquet: equal rows give equal bytes. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_ARROW = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


def to_csv(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> bytes:
    """CSV in UTF-8; a missing value is an empty field, floats keep all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return text.getvalue().encode()


def to_json(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> bytes:
    """A list of objects, columns in order; a missing value is null."""
    ordered = [{name: row[name] for name in columns} for row in rows]
    return (json.dumps(ordered, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def to_parquet(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> bytes:
    """Parquet with the columns' types, also where a column holds nothing."""
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])
    table = pa.table(
        {name: pa.array([row[name] for row in rows], _ARROW[kind])
         for name, kind in columns.items()},
        schema=schema,
    )  # fmt: skip
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else value
