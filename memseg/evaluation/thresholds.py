"""Thresholds of a model, chosen without a test label (METHOD: held-out normal images).

Two policies, each for images and for pixels:

- "false_positive_rate": from the h held-out normal images as they are. For images by their
  scores, see memseg.metrics.thresholds; with h images no rate below 1/(h+1) can be had. For
  pixels by the h * S * S pixels of their anomaly maps, pooled: at most this share of *all pixels
  of the held-out normal images* is at or above the threshold. Pixels of one image resemble each
  other, so this is the rate on these images and no bound for a single new one.
  The images that judge a trial are the same: for the winner of many trials the bound is too low.
- "best_f1_synthetic": the best F1 on synthetic validation, all kinds of anomalies together. It
  leans on how alike simulated anomalies and real defects are, and on their share there.

Which one serves by default: the rate where it can be had, else the best F1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from memseg.config.method import EvaluationConfig
from memseg.evaluation.policies import BEST_F1, POLICIES, RATE, UNITS
from memseg.evaluation.synthetic import SyntheticMaps
from memseg.metrics.image_score import image_score
from memseg.metrics.precision import best_f1
from memseg.metrics.rates import can_have_rate, check_rates, lack
from memseg.metrics.thresholds import rate_threshold

_HIGHEST = 1.0
"""Of scores: they are probabilities."""


@dataclass(frozen=True)
class Thresholds:
    """What is recorded with a trial and published with its model. Plain values, for JSON."""

    policies: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """Policy -> "image" or "pixel" -> "threshold" and what it came from."""
    absent: Mapping[str, Mapping[str, str]]
    """Policy -> unit -> why it has no threshold; every unit is in one of the two."""
    default: Mapping[str, str | None]
    """Unit -> the policy that serves by default; None where there is none."""
    held_out: int
    """Normal images that all of it was chosen on."""


def choose_thresholds(found: SyntheticMaps | None, settings: EvaluationConfig) -> Thresholds:
    """All policies' thresholds from maps of held-out images; None: nothing was held out.

    Raises SettingError as ``check_rates`` does, DivergedError for maps that are not finite.
    """
    if found is None:
        check_rates(settings, 0, 0)
        reason = "no normal image was held out (validation.held_out_share is 0)"
        absent = {policy: dict.fromkeys(UNITS, reason) for policy in POLICIES}
        return Thresholds({}, absent, dict.fromkeys(UNITS), 0)
    held_out = int((~found.labels).sum())
    check_rates(settings, held_out, found.maps.shape[-1])
    scores = image_score(found.maps, settings.top_pixels)
    normal = ~found.labels
    tried = {
        RATE: {
            "image": _rate(scores[normal], settings, "false_positive_rate", "image"),
            "pixel": _rate(found.maps[normal], settings, "pixel_false_positive_rate", "pixel"),
        },
        BEST_F1: {
            "image": _f1(scores, found.labels, "image"),
            "pixel": _f1(found.maps, found.masks, "pixel"),
        },
    }
    return Thresholds(
        policies=_only(tried, dict),
        absent=_only(tried, str),
        default={
            unit: next((p for p in POLICIES if isinstance(tried[p][unit], dict)), None)
            for unit in UNITS
        },
        held_out=held_out,
    )


Tried = dict[str, Any] | str
"""A threshold and what it came from, or why there is none."""


def _rate(scores: Any, settings: EvaluationConfig, name: str, unit: str) -> Tried:
    rate = getattr(settings, name)
    if not can_have_rate(rate, scores.size):
        return lack(rate, scores.size, f"evaluation.{name}", unit)
    chosen = rate_threshold(scores, rate, unit)
    if chosen.threshold > _HIGHEST:
        return (
            f"too many {unit}s of held-out normal images have the highest score there is, "
            f"{_HIGHEST:g}: no threshold has a false positive rate of {rate:g}"
        )
    return {
        "threshold": chosen.threshold,
        "target": rate,
        "bound" if unit == "image" else "share_at_most": chosen.bound,
        f"normal_{unit}s": chosen.normal,
        f"normal_{unit}s_above": chosen.above,
    }


def _f1(scores: Any, labels: Any, unit: str) -> Tried:
    f1, threshold = best_f1(scores, labels, unit)
    anomalous = int(np.count_nonzero(labels))
    return {
        "threshold": threshold,
        "f1": f1,
        f"normal_{unit}s": labels.size - anomalous,
        f"anomalous_{unit}s": anomalous,
    }


def _only(tried: Mapping[str, Mapping[str, Tried]], kind: type) -> dict[str, dict[str, Any]]:
    kept = {
        policy: {unit: value for unit, value in units.items() if isinstance(value, kind)}
        for policy, units in tried.items()
    }
    return {policy: units for policy, units in kept.items() if units}
