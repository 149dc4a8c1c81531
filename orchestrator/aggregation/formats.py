"""Rows as CSV, JSON and parquet: equal rows give equal bytes. Pure.

A long table is given by its columns (name -> a value a row): a dictionary a row would take
more memory than everything else.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_ARROW = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
_ROWS_AT_ONCE = 512
"""Of CSV text in the making: their cells are in memory one by one."""
_ROWS_A_GROUP = 1 << 15
"""Of a Parquet file: in the making, a group's columns are in memory a second time."""


def to_csv(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> bytes:
    """CSV in UTF-8; a missing value is an empty field, floats keep all their digits."""
    return columns_to_csv(_turned(rows, columns), columns)


def columns_to_csv(values: Mapping[str, Sequence[Any]], columns: Mapping[str, type]) -> bytes:
    """Like ``to_csv``, of columns that are equally long."""
    data = io.BytesIO()
    data.write(_csv_lines([columns]))
    ordered = [values[name] for name in columns]
    for start in range(0, len(ordered[0]), _ROWS_AT_ONCE):
        cells = [_cells(column[start : start + _ROWS_AT_ONCE]) for column in ordered]
        data.write(_csv_lines(zip(*cells)))
    return data.getvalue()


def _csv_lines(lines: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def to_json(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> bytes:
    """A list of objects, columns in order; a missing value is null."""
    ordered = [{name: row[name] for name in columns} for row in rows]
    return (json.dumps(ordered, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def to_parquet(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> bytes:
    """Parquet with the columns' types, also where a column holds nothing."""
    return columns_to_parquet(_turned(rows, columns), columns)


def columns_to_parquet(values: Mapping[str, Sequence[Any]], columns: Mapping[str, type]) -> bytes:
    """Like ``to_parquet``, of columns that are equally long."""
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])
    length = len(next(iter(values.values()), ()))
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema) as writer:
        for start in range(0, length, _ROWS_A_GROUP):
            group = {name: values[name][start : start + _ROWS_A_GROUP] for name in columns}
            writer.write_table(pa.table(group, schema=schema))
    return bytes(sink.getvalue())


def _turned(rows: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in columns}


def _cells(values: Iterable[Any]) -> list[Any]:
    return [_cell(value) for value in values]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else value
