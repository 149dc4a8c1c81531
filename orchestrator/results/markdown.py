"""RESULTS.md as text. Pure: the same files give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.aggregation.markdown_table import cell, table
from orchestrator.aggregation.published import LAST_STEP, TABLE_1, PaperResult, Results, averages
from orchestrator.aggregation.rows import percent
from orchestrator.results.agreement_text import agreement_section
from orchestrator.results.conditions import condition_lines
from orchestrator.results.configurations import (
    Configuration,
    configurations,
    label_alone,
    mean_and_deviation,
)
from orchestrator.results.files import NOTHING, Experiment
from orchestrator.results.reproduced_text import table_lines

_HEAD = """\
# Results

Written by `python -m orchestrator.results` from the files under `results/`; not to be edited.
Every figure was measured with this code, in per cent, and no step, checkpoint or trial was chosen
by test images. Where nothing else is said they are of MVTec AD's real test images, "paper" is
table 1 of Yang et al., and "public code" is the most used public training code (TooTouch/MemSeg)
at its last step. With several seeds a figure is their mean ± sample standard deviation.
"""
_OVER_ALL = f"paper, average of {len(TABLE_1)}"
_METRICS = ("image_auroc", "pixel_auroc", "aupro")


def render(experiments: Sequence[Experiment]) -> str:
    """The whole file."""
    parts = [_HEAD, *(_section(experiment) for experiment in experiments)]
    parts.append(agreement_section([trial for one in experiments for trial in one.trials]))
    return "\n".join(parts)


def _section(experiment: Experiment) -> str:
    lines = [f"## {experiment.title}", ""]
    if experiment.text:
        lines += [experiment.text.strip(), ""]
    for reproduced in experiment.tables:
        lines += table_lines(reproduced)
    if experiment.trials:
        lines += _trials(experiment)
    if experiment.command.strip():
        lines += ["```", experiment.command.strip(), "```", ""]
    return "\n".join(lines)


def _trials(experiment: Experiment) -> list[str]:
    found = configurations(experiment)
    whole, nothing = not experiment.paper, experiment.paper == NOTHING
    rows = None if whole or nothing else averages(experiment.paper)
    references = () if nothing else ("paper", "public code") if whole else (_OVER_ALL,)
    lines = list(table(
        ("configuration", "category", "image AUROC", "pixel AUROC", "AUPRO", "synthetic", "seeds",
         *references),
        [(*_row(one), *(() if nothing else _beside(one, rows))) for one in found],
        set(),
    ))  # fmt: skip
    if any(len(one.trials) > 1 for one in found):
        lines += ["", "Each seed:", ""]
        lines += table(
            ("configuration", "category", "seed", "image AUROC", "pixel AUROC", "AUPRO"),
            [
                (cell(one.label), cell(one.category), str(trial["seed"]),
                 *(percent(trial["metrics"].get(name)) for name in _METRICS))
                for one in found if len(one.trials) > 1 for trial in one.trials
            ],
            set(),
        )  # fmt: skip
    return [*lines, "", *(f"- {line}" for line in condition_lines(experiment.trials)), ""]


def _row(one: Configuration) -> tuple[str, ...]:
    synthetic = [t["synthetic"]["score"] for t in one.trials if t.get("synthetic")]
    return (
        cell(one.label),
        cell(one.category),
        *(_spread(one.figures(name), len(one.trials)) for name in _METRICS),
        _spread(synthetic, len(one.trials)),
        str(len(one.trials)),
    )


def _beside(one: Configuration, rows: Results | None) -> Iterator[str]:
    """Published figures; ``rows``: averages of the paper's rows of this name, for an ablation."""
    if rows is not None:
        yield _reference(rows.get(label_alone(one.label)))
        return
    yield _reference(TABLE_1.get(one.category))
    yield _reference(LAST_STEP.get(one.category))


def _spread(values: Sequence[float], trials: int) -> str:
    found = mean_and_deviation(values)
    if found is None:
        return percent(None)
    mean, deviation = found
    text = percent(mean) if deviation is None else f"{percent(mean)} ± {percent(deviation)}"
    return text if len(values) == trials else f"{text} ({len(values)} of {trials})"


def _reference(result: PaperResult | None) -> str:
    if result is None:
        return percent(None)
    return f"{percent(result.image_auroc)} / {percent(result.pixel_auroc)}"
