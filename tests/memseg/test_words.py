"""Numbers in sentences."""

from __future__ import annotations

from memseg.words import counted


def test_one_is_one_and_all_others_are_several() -> None:
    assert [counted(n, "trial") for n in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]
    assert counted(2, "category", "categories") == "2 categories"
