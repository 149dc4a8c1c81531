"""Sheets of panels: what is where."""

from __future__ import annotations

import numpy as np
import pytest

from memseg.figures.canvas import fitting, wrapped
from memseg.figures.panels import MOST_ROWS, Bar, Panel, Row, mask_picture, panel_sheet
from tests.memseg.figures.reading import OUTLINE, count_like, read

RED = Panel(np.full((32, 32, 3), (200, 30, 30), np.uint8))
SQUARE = np.zeros((32, 32), bool)
SQUARE[8:20, 8:20] = True


def test_each_panel_is_as_large_as_it_says() -> None:
    sheet = panel_sheet(["a", "b"], [Row("first", [RED, RED]), Row("second", [RED, RED])], side=90)
    assert count_like(read(sheet), (200, 30, 30)) == pytest.approx(4 * 90 * 90, rel=0.03)
    assert sheet == panel_sheet(
        ["a", "b"], [Row("first", [RED, RED]), Row("second", [RED, RED])], side=90
    )


def test_small_pictures_keep_their_own_pixels() -> None:
    checks = np.indices((4, 4)).sum(0) % 2 > 0
    shown = read(panel_sheet(["a"], [Row("", [Panel(mask_picture(checks))])], side=160))
    colours = {tuple(c) for c in shown[60:180, 40:160].reshape(-1, 3).tolist()}
    assert colours == {(0, 0, 0), (255, 255, 255)}


def test_outlines_are_drawn_where_a_mask_is() -> None:
    with_mask, empty = (Panel(RED.picture, ((mask, "#19e3c2"),)) for mask in (SQUARE, ~SQUARE & 0))
    outlined, plain = (read(panel_sheet(["a"], [Row("", [p])])) for p in (with_mask, RED))
    assert count_like(outlined, OUTLINE) > 50
    edges = (slice(None), [20, 20 + 167])  # the picture keeps its size
    assert np.array_equal(outlined[edges], plain[edges])
    assert count_like(read(panel_sheet(["a"], [Row("", [empty])])), OUTLINE) == 0


def test_captions_bars_notes_and_missing_pictures_take_their_room() -> None:
    plain = read(panel_sheet(["a", "b"], [Row("t", [RED, RED])]))
    captioned = Panel(RED.picture, caption="max 3")
    bar = Bar(0, 1, (0.0, 3e6), "inferno", "a scale without a unit")
    for sheet in (
        panel_sheet(["a", "b"], [Row("t", [RED, captioned])]),
        panel_sheet(["a", "b"], [Row("t", [RED, RED])], bars=[bar]),
        panel_sheet(["a", "b"], [Row("t", [RED, RED])], notes=["what a reader must know"]),
        panel_sheet(["a", "a heading that does not fit on one line"], [Row("t", [RED, RED])]),
    ):
        higher = read(sheet)
        assert higher.shape[1] == plain.shape[1]
        assert higher.shape[0] > plain.shape[0]
    missing = read(panel_sheet(["a", "b"], [Row("t", [RED, "there is none"])]))
    assert missing.shape == plain.shape
    assert count_like(missing, (200, 30, 30)) == pytest.approx(168 * 168, rel=0.03)


def test_text_is_wrapped_to_its_width_and_no_word_is_lost() -> None:
    text = "one two three four five six seven eight nine ten"
    lines = wrapped(text, 100, 8.5)
    assert len(lines) > 2
    assert " ".join(lines) == text
    assert all(fitting(line, 100, 8.5) == line for line in lines)
    assert wrapped("", 100, 8.5) == []
    assert "…" in wrapped("W" * 80, 100, 8.5)[0]


def test_rows_that_do_not_fit_are_refused() -> None:
    for rows in ([], [Row("t", [RED])], [Row("t", [RED, RED])] * (MOST_ROWS + 1)):
        with pytest.raises(ValueError, match="got"):
            panel_sheet(["a", "b"], rows)
