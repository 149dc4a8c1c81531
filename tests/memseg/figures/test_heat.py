"""Colours of scores are matplotlib's own, found in a table."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps

from memseg.figures.heat import coloured


@given(st.lists(st.floats(-0.5, 1.5, width=32), min_size=1, max_size=40), st.booleans())
def test_a_score_has_the_colour_that_matplotlib_gives(scores: list[float], grey: bool) -> None:
    name = "gray" if grey else "inferno"
    values = np.array([scores])
    wanted = np.rint(255 * colormaps[name](np.clip(values, 0, 1))[..., :3]).astype(np.uint8)
    np.testing.assert_array_equal(coloured(values, (0.0, 1.0), name), wanted)


def test_at_the_edges_of_the_tables_entries() -> None:
    edges = np.arange(257) / 256
    values = np.stack([edges, np.nextafter(edges, 0)])
    wanted = np.rint(255 * colormaps["inferno"](values)[..., :3]).astype(np.uint8)
    np.testing.assert_array_equal(coloured(values, (0.0, 1.0)), wanted)
