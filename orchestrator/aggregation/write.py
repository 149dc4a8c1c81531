"""Puts a sweep's tables into its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from memseg.storage import Folder
from orchestrator.aggregation import failures, rows, trial_rows
from orchestrator.aggregation.formats import (
    columns_to_csv,
    columns_to_parquet,
    to_csv,
    to_json,
    to_parquet,
)
from orchestrator.aggregation.markdown import render_markdown
from orchestrator.aggregation.tables import Tables

_AUROC_COLUMNS: Mapping[str, type] = {
    "category": str,
    **dict.fromkeys(rows.METRICS, float),
    "selection": str,
    "trial": str,
    "steps": int,
    "encoder_weights": str,
    "trials_done": int,
    "trials_planned": int,
}


def render_files(tables: Tables) -> dict[str, bytes]:
    """File name -> bytes of everything that is written. Pure; equal tables give equal bytes.

    ``auroc.*`` holds the best of each category, fractions in the data files, per cent in
    Markdown; ``average.json`` the same columns for the configuration that is best on average
    (an empty list where there is none); ``trials.*`` a row a planned trial.
    """
    auroc = [row.values() for row in tables.rows]
    average = [row.values() for row in tables.average_rows]
    return {
        "auroc.md": render_markdown(tables).encode(),
        "auroc.csv": to_csv(auroc, _AUROC_COLUMNS),
        "auroc.json": to_json(auroc, _AUROC_COLUMNS),
        "auroc.parquet": to_parquet(auroc, _AUROC_COLUMNS),
        "average.json": to_json(average, _AUROC_COLUMNS),
        **_trials_files(tables.trials),
    }


def table_places(folder: Folder) -> dict[str, str]:
    """What -> where, of the tables in a sweep's folder."""
    return {
        "tables": folder.sub("auroc.md").location,
        "trials": folder.sub("trials.csv").location,
    }


def _trials_files(columns: Mapping[str, Sequence[Any]]) -> dict[str, bytes]:
    # Parquet first: making it takes more memory than it keeps, CSV the other way round.
    return {
        "trials.parquet": columns_to_parquet(columns, trial_rows.COLUMNS),
        "trials.csv": columns_to_csv(columns, trial_rows.COLUMNS),
    }


def write_trials(folder: Folder, columns: Mapping[str, Sequence[Any]]) -> None:
    """Writes ``trials.{csv,parquet}`` alone; ``columns``: of ``make_trial_columns``.

    Raises StorageError.
    """
    for name, data in _trials_files(columns).items():
        folder.write(name, data)


def write_tables(folder: Folder, tables: Tables) -> tuple[str, ...]:
    """Writes them into ``folder`` (``sweeps/<name>``); returns the names. Raises StorageError."""
    files = render_files(tables)
    for name, data in files.items():
        folder.write(name, data)
    return tuple(files)


def write_failures(folder: Folder, sweep: str, events: Iterable[Mapping[str, Any]]) -> None:
    """Writes ``failures.{csv,md}``: the failed attempts that the event log knows.

    Raises StorageError.
    """
    found = failures.failure_rows(events)
    folder.write("failures.csv", to_csv(found, failures.COLUMNS))
    folder.write("failures.md", failures.failures_markdown(sweep, found).encode())
