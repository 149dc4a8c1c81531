"""A threshold for a false positive rate, from scores of normal items alone. Pure.

An item is called anomalous when its score is *at least* the threshold, as everywhere here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memseg.errors import SettingError
from memseg.metrics.ranking import check_finite
from memseg.metrics.rates import can_have_rate, largest_count, least_rate


@dataclass(frozen=True)
class RateThreshold:
    """What a false positive rate was turned into."""

    threshold: float
    """The next number above a normal score: that score is normal, whatever is higher is not."""
    bound: float
    """k / (n + 1), at most the rate that was asked for; see ``rate_threshold``."""
    normal: int
    """n, the items that it was chosen on."""
    above: int
    """Of these, how many it calls anomalous: at most k - 1."""


def rate_threshold(scores: npt.ArrayLike, rate: float, unit: str = "item") -> RateThreshold:
    """The threshold that calls a normal item anomalous with a probability of at most ``rate``.

    ``scores``: of n normal items, any shape, kept in their own floating type. With k the largest
    whole number of at most rate * (n + 1), it lies just above the k-th highest score. Among n
    items and one more that is exchangeable with them, each is as likely to be among the k highest:
    so the new one is called anomalous with a probability of at most k / (n + 1), over the choice
    of the n too. Ties only lower it. This is split conformal prediction.

    Raises SettingError for a rate outside of [1 / (n + 1), 1) and without items, DivergedError
    for scores that are not finite. ``unit`` names an item in messages.
    """
    values = np.asarray(scores)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    values = values.ravel()
    check_finite(values, f"{unit} scores")
    n = len(values)
    if not 0 < rate < 1:
        raise SettingError(f"a false positive rate must be above 0 and below 1, got {rate:g}")
    if not can_have_rate(rate, n):
        raise SettingError(
            f"a false positive rate of {rate:g} cannot be had from {n} normal {unit}s: the least "
            f"is 1/(n+1), here {least_rate(n):.3g}; hold out more of them, or ask for a higher rate"
        )
    k = min(n, largest_count(rate, n))
    highest = np.partition(values, n - k)[n - k]
    threshold = np.nextafter(highest, values.dtype.type(np.inf))
    above = int((values >= threshold).sum())
    return RateThreshold(float(threshold), k / (n + 1), n, above)
