"""Which false positive rates so many normal images can vouch for. Pure, for planning too."""

from __future__ import annotations

import math

from memseg.config.method import EvaluationConfig
from memseg.errors import SettingError

_ROUNDING = 1e-9
_DEFAULTS = EvaluationConfig()


def least_rate(normal: int) -> float:
    """The lowest false positive rate that ``normal`` items can vouch for: 1 / (n + 1).

    A new normal item that is like them exceeds all n of them with this probability, so no
    threshold among their scores promises less.
    """
    return 1 / (normal + 1)


def can_have_rate(rate: float, normal: int) -> bool:
    """Whether ``normal`` items are enough for a false positive rate."""
    return normal > 0 and rate >= least_rate(normal) * (1 - _ROUNDING)


def largest_count(rate: float, normal: int) -> int:
    """The largest whole k with k / (n + 1) at most ``rate``, as if nothing were rounded."""
    return math.floor(rate * (normal + 1) + _ROUNDING)


def lack(rate: float, normal: int, name: str, unit: str = "image") -> str:
    """Why ``normal`` items are too few for a rate, for a message; ``name``: of its setting."""
    needed = math.ceil(1 / rate - _ROUNDING) - 1
    return (
        f"{name} {rate:g} needs at least {needed} held-out normal {unit}s, there are {normal}: the "
        f"least rate is 1/(n+1), here {least_rate(normal):.3g}"
    )


def check_rates(settings: EvaluationConfig, held_out: int, size: int) -> None:
    """Raises SettingError where a rate is asked for that so few held-out images cannot have.

    ``held_out``: normal images, each of ``size`` by ``size`` pixels. A default rate asks for
    nothing: a category too small for it does without, and its model says so.
    """
    for unit, name, items in (
        ("image", "false_positive_rate", held_out),
        ("pixel", "pixel_false_positive_rate", held_out * size * size),
    ):
        rate = getattr(settings, name)
        if rate != getattr(_DEFAULTS, name) and not can_have_rate(rate, items):
            raise SettingError(
                f"{lack(rate, items, f'evaluation.{name}', unit)}; ask for a higher rate, or hold "
                "out more (validation.held_out_share, held_out_least, held_out_most)"
            )
