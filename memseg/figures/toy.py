"""Figure 10: the toy dataset, a column for each shape. k toy images, S side in pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from memseg.figures.canvas import OUTLINE
from memseg.figures.heat import COLOUR_MAP, PROBABILITIES, coloured
from memseg.figures.localisation import SCORE
from memseg.figures.panels import Bar, Panel, Row, mask_picture, panel_sheet, picture_of

if TYPE_CHECKING:
    from memseg.simulation.toy import ToySet

_NAMES: Mapping[str, str] = {"lightning": "lightning bolt"}


def toy_figure(
    toy: ToySet,
    maps: npt.NDArray[np.floating] | None = None,
    examples: int = 2,
    notes: Sequence[str] = (),
) -> bytes:
    """A PNG: of each shape the first ``examples`` toy images, below each its mask.

    ``toy``: of ``memseg.simulation.toy.toy_set``, k >= 1; ``maps``: (k, S, S) anomaly maps of its
    images, shown below the masks; ``notes``: paragraphs at the end, for example ``ToyScore.note``.
    Raises ValueError for maps that do not fit.
    """
    if maps is not None and maps.shape != toy.masks.shape:
        raise ValueError(f"maps must be {toy.masks.shape}, got {maps.shape}")
    names = list(dict.fromkeys(toy.shapes))
    of_shape = {name: [i for i, s in enumerate(toy.shapes) if s == name] for name in names}
    rows = []
    for place in range(min(examples, max(map(len, of_shape.values())))):
        chosen = [of_shape[n][place] if place < len(of_shape[n]) else None for n in names]
        rows.append(_row("toy images", chosen, lambda i: Panel(picture_of(toy.images[i]))))
        rows.append(_row("ground truth", chosen, lambda i: Panel(mask_picture(toy.masks[i]))))
        if maps is not None:
            rows.append(_row("anomaly maps, outline: ground truth", chosen, _found(toy, maps)))
    bars = () if maps is None else (Bar(0, len(names) - 1, PROBABILITIES, COLOUR_MAP, SCORE),)
    return panel_sheet([_NAMES.get(name, name) for name in names], rows, bars, notes, side=150)


def _row(title: str, chosen: Sequence[int | None], panel: Callable[[int], Panel]) -> Row:
    return Row(title, ["no further one" if i is None else panel(i) for i in chosen])


def _found(toy: ToySet, maps: npt.NDArray[np.floating]) -> Callable[[int], Panel]:
    return lambda i: Panel(coloured(maps[i], PROBABILITIES), ((toy.masks[i], OUTLINE),))
