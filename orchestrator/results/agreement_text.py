"""The section of RESULTS.md on how far synthetic validation can be trusted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.aggregation.markdown_table import cell, table
from orchestrator.aggregation.rows import percent
from orchestrator.planning.trial import default_settings
from orchestrator.results.agreement import Agreement, agreements, judged, scores
from orchestrator.results.configurations import differing, settings_text, traits

_HEAD = """\
## Does synthetic validation rank trials as the test set does?

Spearman's rank correlation (rho) between a validation score, on simulated anomalies of held-out
normal images, and the test set, over the trials above with equal steps, where at least four
configurations have the score. Trials are chosen by the score alone; this is how far that can be
trusted. "Shapes" are the paper's regular shapes (section 4.7) at low contrast, "turned" are parts
of the image turned in their place.
"""


_ELSEWHERE = ("training.max_steps", "training.precision", "training.channels_last")
"""Has a column, or says how a trial was computed, not what."""


def agreement_section(trials: Sequence[Mapping[str, Any]]) -> str:
    """The section; it says so where there are too few trials."""
    lines = [_HEAD]
    found = agreements(trials)
    if not found:
        lines += ["Too few trials with a synthetic score yet.", ""]
    else:
        lines += table(
            ("category", "steps", "score", "trials", "rho, image AUROC", "rho, pixel AUROC",
             "rho, mean of both"),
            [_agreement_row(one) for one in found],
            set(),
        )  # fmt: skip
        lines.append("")
    used = judged(trials)
    if used:
        lines += ["The trials, with those of their settings that are not the default:", ""]
        lines += table(
            ("category", "steps", "seed", "trial", "image AUROC", "pixel AUROC", "shapes",
             "turned", "settings"),
            _trial_rows(used),
            set(),
        )  # fmt: skip
        lines.append("")
    return "\n".join(lines)


def _agreement_row(one: Agreement) -> tuple[str, ...]:
    values = (one.image, one.pixel, one.mean)
    return (
        cell(one.category),
        str(one.steps),
        cell(one.kind),
        str(one.trials),
        *(percent(None) if value is None else f"{value:+.2f}" for value in values),
    )


def _trial_rows(trials: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    names = {
        category: differing([trial for trial in trials if trial["category"] == category])
        for category in {trial["category"] for trial in trials}
    }
    rows: list[tuple[str, ...]] = []
    for trial in trials:
        found = scores(trial)
        rows.append(
            (cell(trial["category"]), str(trial["steps"]), str(trial["seed"]), trial["key"][:8],
             percent(trial["metrics"]["image_auroc"]), percent(trial["metrics"]["pixel_auroc"]),
             percent(found.get("shapes")), percent(found.get("turned")),
             cell(settings_text(trial, _told(trial, names[trial["category"]]))))
        )  # fmt: skip
    return rows


def _told(trial: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """The names that say what is special about a trial: what has its default is left out."""
    defaults, own = default_settings(), traits(trial)
    return [
        name
        for name in names
        if name not in _ELSEWHERE
        and not name.startswith("validation.turned")  # how it is judged, not what it is
        and (name not in defaults or own.get(name) != defaults[name])
    ]
