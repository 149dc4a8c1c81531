"""Published figures: the paper's, of the methods it compares with, and of the public code.

They stand in published.yaml, with their sources, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

MEMSEG = "MemSeg"
"""The paper's own method among the methods of its tables."""
ALL = "all"


@dataclass(frozen=True)
class PaperResult:
    """AUROC as published, fractions; None where none is printed."""

    image_auroc: float | None
    pixel_auroc: float | None


Results = Mapping[str, PaperResult]


@dataclass(frozen=True)
class PerCategory:
    """A table of the paper that has a row a category: tables 1 and 2."""

    data_set: str
    methods: Mapping[str, Results]
    """Method -> category -> figures, the paper's own (MEMSEG) first."""
    averages: Mapping[str, Results]
    """Method -> "textures", "objects" or ALL -> average as printed."""

    @property
    def categories(self) -> tuple[str, ...]:
        """All of the table, in its order."""
        return tuple(self.methods[MEMSEG])


def per_category(table: str) -> PerCategory:
    """Table 1 ("table1") or table 2 ("table2")."""
    found = _file()[table]
    return PerCategory(
        data_set=found["data_set"],
        methods={method: _results(rows) for method, rows in found["methods"].items()},
        averages={method: _results(rows) for method, rows in found["averages"].items()},
    )


def averages(table: str) -> Results:
    """Row -> averages over a data set, of "table3", "table4", "table5" or "table6"."""
    return _results(_file()[table])


def speeds() -> Mapping[str, float]:
    """Method -> seconds for one image (section 4.8)."""
    return dict(_file()["speed"])


def sources() -> Mapping[str, str]:
    """ "paper" and "public_code" -> where their figures were printed."""
    return dict(_file()["sources"])


@cache
def _file() -> Mapping[str, Any]:
    text = files(__package__).joinpath("published.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


def _results(rows: Mapping[str, Any]) -> dict[str, PaperResult]:
    return {name: PaperResult(*map(_fraction, pair)) for name, pair in rows.items()}


def _fraction(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 6)


STEPS = int(_file()["steps"])
"""Optimisation steps of the paper (section 4.2)."""

TABLE_1: Results = per_category("table1").methods[MEMSEG]
"""MVTec AD. The paper prints 98.84 as the average of the pixel column; the column gives 98.85."""

LAST_STEP: Results = _results(_file()["public_code"])
"""Image and pixel AUROC of the public code on MVTec AD, at its last step (5000)."""
