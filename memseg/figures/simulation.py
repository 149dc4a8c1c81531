"""Figure 3: the steps of anomaly simulation, with the foreground mask. S side in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from memseg.figures.canvas import OUTLINE
from memseg.figures.foreground import foreground_panel
from memseg.figures.heat import coloured
from memseg.figures.panels import Bar, Panel, Row, mask_picture, panel_sheet, picture_of

if TYPE_CHECKING:
    from memseg.simulation.examples import Example

COLUMNS = (
    "normal image I",
    "Perlin noise P",
    "its mask M_P: where P is above T",
    "foreground M_I, the rest dimmed",
    "mask M = M_P · M_I",
    "noise image I_n, outline: M",
    "I'_n = δ M·I_n + (1-δ) M·I (eq. 1)",
    "anomalous I_A = (1-M)·I + I'_n (eq. 2)",
)
_NOISE, _GREY = (-1.0, 1.0), "gray"
_UNUSED = "not used: the anomaly is a part of the image in a wrong place"


def simulation_figure(
    examples: Sequence[Example], titles: Sequence[str], notes: Sequence[str] = ()
) -> bytes:
    """A PNG with a row for each example of ``memseg.simulation.examples``.

    ``titles``: one per example, for example its file; kind and δ are written after it; ``notes``:
    paragraphs at the end. Raises ValueError where they are not as many, for none, and too many.
    """
    if len(titles) != len(examples):
        raise ValueError(f"{len(examples)} examples need as many titles, got {len(titles)}")
    rows = [
        Row(f"{title}: {example.kind}, δ = {example.delta:.2f}", _panels(example))
        for title, example in zip(titles, examples)
    ]
    bar = Bar(1, 1, _NOISE, _GREY, "Perlin noise, no unit")
    return panel_sheet(COLUMNS, rows, (bar,), notes)


def _panels(example: Example) -> list[Panel | str]:
    noise: list[Panel | str] = [
        Panel(coloured(example.noise, _NOISE, _GREY)),
        Panel(mask_picture(example.binarised), caption=f"T = {example.level:.3g}"),
    ]
    if example.kind == "moved part":
        noise = [_UNUSED, _UNUSED]
    return [
        Panel(picture_of(example.image)),
        *noise,
        Panel(
            foreground_panel(example.image, example.foreground),
            caption=f"{example.foreground.mean():.0%} of the image",
        ),
        Panel(mask_picture(example.mask), caption=f"{example.mask.mean():.1%} of the image"),
        Panel(picture_of(example.source), ((example.mask, OUTLINE),)),
        Panel(picture_of(example.blended), caption=f"δ = {example.delta:.2f}"),
        Panel(picture_of(example.anomalous)),
    ]
