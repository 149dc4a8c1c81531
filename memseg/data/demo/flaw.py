"""The request for a defect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Flaw:
    """Which defect to draw, and the random numbers for it.

    They are its own: drawing a defect must not change the part it is drawn on.
    """

    kind: str
    random: np.random.Generator
