"""Tables that ``orchestrator.reproduce`` wrote, kept with the code: small files beside the trials.

results/<experiment>/tables/<table>.json      as it stands in the sweep's folder
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from memseg.errors import DataError
from memseg.storage import Folder
from orchestrator.planning.reported_step import TEST

TABLES = "tables"
_SPEED = "speed.json"
_FILE = re.compile(r"(table[1-6]|figure8|speed)\.json")
_FIGURES = ("image_auroc", "pixel_auroc")

Table = Mapping[str, Any]
"""What reproduce writes as JSON: title, rows in fractions, conditions."""


def add_tables(workspace: Folder, sweep: str, into: Folder) -> int:
    """Copies the tables of a sweep of reproduce into an experiment's folder; returns how many.

    Raises DataError where there is none, or one is damaged.
    """
    folder = workspace.sub(f"sweeps/{sweep}")
    names = sorted(f.path for f in folder.files() if _FILE.fullmatch(f.path))
    # Speeds that an earlier version timed have no texts; timed again they have.
    names = [n for n in names if n != _SPEED or "cells" in (folder.read_json(n) or {})]
    if not names:
        raise DataError(
            f"{folder.path} has no tables of orchestrator.reproduce: table1.json and so on"
        )
    for name in names:
        _read(folder, name)
    for name in names:
        # As it is: the order of a row's keys says which of them are its labels.
        into.sub(TABLES).write(name, folder.read(name))
    return len(names)


def read_tables(folder: Folder) -> tuple[Table, ...]:
    """An experiment's tables by name, () where it has none. Raises DataError with the file."""
    place = folder.sub(TABLES)
    return tuple(_read(place, name) for name in sorted(f.path for f in place.files()))


def _read(folder: Folder, name: str) -> Table:
    place, value = f"{folder.path}/{name}", folder.read_json(name)
    is_of_cells = isinstance(value, dict) and "cells" in value
    if not isinstance(value, dict) or not all(
        isinstance(value.get(key), kind)
        for key, kind in (
            ("title", str), ("cells" if is_of_cells else "rows", list), ("conditions", list),
        )
    ):  # fmt: skip
        raise DataError(f"{place} is no table of orchestrator.reproduce: run it again")
    for condition in value["conditions"]:
        if not isinstance(condition, dict) or not isinstance(condition.get("text"), str):
            raise DataError(f"{place} has a condition without a text: run reproduce again")
    if is_of_cells:
        return _of_cells(value, place)
    steps = value.get("reported_steps", [])
    if not isinstance(steps, list) or not all(isinstance(s, dict) and "way" in s for s in steps):
        raise DataError(f"{place} does not say which steps are reported: run reproduce again")
    for row in value["rows"]:
        if not isinstance(row, dict) or "category" not in row:
            raise DataError(f"{place} has a row without a category: run reproduce again")
        for figure in _FIGURES:
            for key in (figure, f"paper_{figure}", f"{figure}_difference", f"{figure}_deviation"):
                if not isinstance(row.get(key), (float, int, type(None))):
                    raise DataError(f"{place}: {key} must be a number, got {row[key]!r}")
    if _is_oracle(value):
        raise DataError(
            f"{place}: its steps were chosen by the test set (training.reported_step test), "
            "and RESULTS.md says of all of its figures that none was"
        )
    return value


def _of_cells(value: Table, place: str) -> Table:
    """Speeds: no figures that a step could have been chosen for, and texts as they are shown."""
    headings = value.get("headings")
    rows = value["cells"]
    if not isinstance(headings, list) or not all(
        isinstance(row, list) and len(row) == len(headings) and all(isinstance(c, str) for c in row)
        for row in (headings, *rows)
    ):
        raise DataError(f"{place} has rows that are not as long as its headings: run speed again")
    return value


def _is_oracle(table: Table) -> bool:
    steps = table.get("reported_steps")
    if steps is None:  # written before the field was: the sentence alone says it
        return any("TEST SET" in condition["text"] for condition in table["conditions"])
    return TEST in [step["way"] for step in steps]
