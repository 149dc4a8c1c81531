"""Whether a challenger becomes champion. Pure: the figures are handed in.

Both were judged on the same images, which neither was trained on. A challenger need not be better
than the champion: it knows the newest images. It must not be worse by more than a tolerance in
any figure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Judged:
    """What a model is worth on the images that both are judged by."""

    version: str
    figures: Mapping[str, float | None]
    """Name of a figure -> value in [0, 1], larger is better; None where it is not defined."""


@dataclass(frozen=True)
class Decision:
    """What to do with the aliases, and why."""

    promotes: bool
    """Whether the challenger becomes champion."""
    reason: str


def decide(champion: Judged, challenger: Judged, tolerance: float) -> Decision:
    """The decision, with both figures in the reason.

    ``tolerance``: in the figures' own unit, 0.01 is one point. A figure that is defined for one of
    them only, or for none, judges nothing; with no figure left the champion stays.
    """
    compared = {
        name: (before, after)
        for name, after in challenger.figures.items()
        if (before := champion.figures.get(name)) is not None and after is not None
    }
    if not compared:
        return Decision(
            False,
            f"nothing can be compared with the champion {champion.version}: no images that it was "
            "not trained on, and no test set",
        )
    worse = {name: pair for name, pair in compared.items() if not pair[1] >= pair[0] - tolerance}
    limit = f"by more than {100 * tolerance:.2f}"
    if worse:
        return Decision(False, f"worse than the champion {limit}: {_text(worse)}")
    return Decision(True, f"not worse than the champion {limit}: {_text(compared)}")


def _text(figures: Mapping[str, tuple[float, float]]) -> str:
    return ", ".join(
        f"{name} {_percent(after)} against {_percent(before)}"
        for name, (before, after) in figures.items()
    )


def _percent(value: float) -> str:
    return f"{100 * value:.2f}" if math.isfinite(value) else "not finite"
