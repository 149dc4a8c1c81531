"""What is written at the end, also where one experiment cannot be made."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from memseg.errors import DataError, StorageDownError
from memseg.storage import open_folder
from orchestrator.ledger.ledger import Ledger
from orchestrator.reproduce.experiment import Finished, Output
from orchestrator.reproduce.experiments import FIGURE_5, FIGURE_6, TABLE_4, TABLE_6
from orchestrator.reproduce.pictures import pages
from orchestrator.reproduce.running import leave_output, pictures_of

Make = Callable[..., Any]


@pytest.fixture
def finished_of(part_of: Make, job_of: Make, tmp_path: Path) -> Callable[[Any], Finished]:
    """A finished experiment whose output this function makes."""

    def making(make: Any) -> Finished:
        part = part_of(replace(TABLE_4, make=make), "tile")
        return Finished(part, {}, job_of(), Ledger(open_folder(tmp_path)))

    return making


def console() -> Console:
    return Console(file=io.StringIO(), width=100, color_system=None)


def test_files_are_written_and_named(finished_of: Any, tmp_path: Path) -> None:
    shown = console()
    output = Output({"x.md": b"text"}, Text("a table"))
    assert leave_output(finished_of(lambda _: output), open_folder(tmp_path), shown)
    assert (tmp_path / "x.md").read_bytes() == b"text"
    printed = shown.file.getvalue()  # type: ignore[attr-defined]
    assert "a table" in printed
    assert f"written: x.md\nin {tmp_path}\n" in printed


def test_the_picture_of_an_earlier_run_does_not_stay_beside_another_table(
    finished_of: Any, tmp_path: Path
) -> None:
    (tmp_path / "table4-wood.png").write_bytes(b"of a category that is not looked at")
    (tmp_path / "table40.png").write_bytes(b"another's")
    (tmp_path / "table4-tile.png").write_bytes(b"a category's own")
    for files in ({"table4.png": b"picture"}, {"table4.md": b"one point"}):
        made = Output(files, Text())
        assert leave_output(
            finished_of(lambda _, made=made: made), open_folder(tmp_path), console()
        )
        assert (tmp_path / "table4.png").exists() == ("table4.png" in files)
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["table4-wood.png", "table40.png"]


def test_table_6_has_figure_10s_pictures(part_of: Make) -> None:
    names = ["figure10-tile.png", "figure10-wood.png", "figure1.png", "figure10.png"]
    assert pictures_of(part_of(TABLE_6, "tile"), names) == ["figure10-tile.png", "figure10.png"]
    pages = ["figure6-1.png", "figure6-2.png", "figure6-wood.png", "figure6-1.md"]
    assert pictures_of(part_of(FIGURE_6, "tile"), pages) == pages[:2]


def test_categories_that_are_numbers_are_no_pages(part_of: Make) -> None:
    names = ["figure5-01.png", "figure5-02.png"]
    assert pictures_of(part_of(FIGURE_5, "02"), names) == ["figure5-02.png"]


def test_an_output_that_cannot_be_made_is_said_and_stops_no_other(
    finished_of: Any, tmp_path: Path
) -> None:
    def broken(finished: Finished) -> Output:
        raise DataError("its images are gone")

    shown = console()
    assert not leave_output(finished_of(broken), open_folder(tmp_path), shown)
    assert "table4 could not be made: its images are gone" in shown.file.getvalue()  # type: ignore[attr-defined]


def test_a_storage_that_is_down_ends_the_command(finished_of: Any, tmp_path: Path) -> None:
    def down(finished: Finished) -> Output:
        raise StorageDownError("the disk is full")

    with pytest.raises(StorageDownError):
        leave_output(finished_of(down), open_folder(tmp_path), console())


def test_more_categories_than_a_picture_has_room_for_have_several_pictures() -> None:
    assert pages("figure6", (), 2) == {}
    assert pages("figure6", ("a", "b"), 2) == {"figure6.png": ("a", "b")}
    assert pages("figure6", tuple("abcde"), 2) == {
        "figure6-1.png": ("a", "b"),
        "figure6-2.png": ("c", "d"),
        "figure6-3.png": ("e",),
    }
