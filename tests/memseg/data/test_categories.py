from __future__ import annotations

import pytest

from memseg.data.categories import check_category_name
from memseg.errors import DataError


@pytest.mark.parametrize(
    "name", ["screw", "01", "no", "metal_nut", "a b", "x.1", "Schraube-Ä", "1"]
)
def test_ordinary_names_are_fine(name: str) -> None:
    assert check_category_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "/", "a\\b", ".hidden", "-x", "a\nb", "a\x00", "a\x7f", " a", "a ",
     "a" * 101, "ä" * 101, "螺" * 70, "a\u202eb"],
)  # fmt: skip
def test_names_that_would_leave_or_break_a_folder_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="category name"):
        check_category_name(name)
