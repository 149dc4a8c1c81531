"""Numbers below a colour bar: they say the scale, and none touches its neighbour."""

from __future__ import annotations

from itertools import pairwise

import pytest

from memseg.figures.canvas import _TICK_POINTS, _ticks, _width


@pytest.mark.parametrize("top", [1.0, 0.5, 17.3, 2.7e6, 1.2345e8, 9.99e-7])
@pytest.mark.parametrize(("width", "most"), [(150, 3), (60, 3), (400, 5)])
def test_no_number_touches_its_neighbour(top: float, width: int, most: int) -> None:
    places, labels = _ticks((0.0, top), most, width)
    assert (places[0], places[-1]) == (0.0, pytest.approx(top))
    assert 2 <= len(labels) <= most
    spans = []
    for place, text in zip(places, labels):
        middle, half = place / top * width, _width(text, _TICK_POINTS) / 2
        # The first begins and the last ends with the bar.
        middle += half if place == places[0] else -half if place == places[-1] else 0
        spans.append((middle - half, middle + half))
    if len(labels) > 2:
        assert all(end < start for (_, end), (start, _) in pairwise(spans))


def test_there_are_as_many_numbers_as_fit() -> None:
    assert _ticks((0.0, 1.0), 3, 150)[1] == ["0.00", "0.50", "1.00"]
    assert len(_ticks((0.0, 1.2345e8), 3, 150)[1]) == 2
