"""Figure 8: AUROC over the number of memory samples, as a table and as a picture."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import replace

from memseg.words import counted
from orchestrator.aggregation.conditions import training_conditions
from orchestrator.reproduce.ablation import ablation_table
from orchestrator.reproduce.experiment import Finished, Output
from orchestrator.reproduce.lines import Line, PaperTable
from orchestrator.reproduce.scores import AUROCS
from orchestrator.reproduce.tables import table_output

_INCHES, _DOTS = (6.4, 4.8), 150
_LINE_INCHES, _LINES_WITHIN = 0.12, 5
"""Of a line below the curves, and how many are in the height."""
_MOST_LINES = 12
_COLUMNS = 108
"""Of the lines below the curves, in characters."""
_STYLES = {"image_auroc": ("tab:blue", "o"), "pixel_auroc": ("tab:orange", "s")}


def make_curve(finished: Finished) -> Output:
    """The rows' averages, and a picture where there are two points or more."""
    table = ablation_table(finished.part, finished.records)
    output = table_output(table)
    points = [line for line in table.lines if line.score is not None]
    if len(points) < 2:
        return output
    said = [condition.text for condition in training_conditions(finished.part.plan)]
    files = {**output.files, f"{table.name}.png": draw(table, points, said)}
    return replace(output, files=files)


def draw(table: PaperTable, points: Sequence[Line], said: Sequence[str] = ()) -> bytes:
    """A PNG of both AUROCs in per cent over the first label, which is a number.

    Bars are the sample standard deviation over the seeds. Below stand what makes the figures mean
    less than they seem to, ``said``, and what the bars are.
    """
    # Takes half a second to import: only where something is drawn.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    below = _below(table, points, said)
    width, height = _INCHES
    size = (width, height + _LINE_INCHES * max(0, len(below) - _LINES_WITHIN))
    figure = Figure(figsize=size, dpi=_DOTS, layout="constrained")
    axes = figure.add_subplot()
    for metric in AUROCS:
        known = [line.score for line in points if line.score and line.score.values[metric]]
        places = [
            int(line.labels[0]) for line in points if line.score and line.score.values[metric]
        ]
        if not known:
            continue
        colour, marker = _STYLES[metric]
        deviations = [score.deviation(metric) for score in known]
        axes.errorbar(
            places,
            [100 * (score.mean(metric) or 0.0) for score in known],
            None if None in deviations else [100 * (d or 0.0) for d in deviations],
            label=metric.replace("_auroc", " AUROC"), color=colour, marker=marker, capsize=3,
        )  # fmt: skip
    axes.set_xlabel(table.headings[0].replace("\n", " "))
    axes.set_ylabel("AUROC, %")
    axes.set_xticks([int(line.labels[0]) for line in points])
    axes.set_title(
        f"{table.title} ({_categories(points)}, measured)",
        fontsize="medium", parse_math=False,
    )  # fmt: skip
    axes.grid(alpha=0.3)
    if axes.has_data():
        axes.legend()
    if below:
        figure.supxlabel("\n".join(below), fontsize="x-small", x=0.01, ha="left", parse_math=False)
    FigureCanvasAgg(figure)
    data = io.BytesIO()
    # Without the version of the library: equal figures give equal bytes.
    figure.savefig(data, format="png", metadata={"Software": None})
    return data.getvalue()


def _categories(points: Sequence[Line]) -> str:
    """Of how many the averages are; pixel AUROC may be defined in fewer."""
    image, pixel = (
        next((len(line.score.over[metric]) for line in points if line.score), 0)
        for metric in ("image_auroc", "pixel_auroc")
    )
    text = counted(image, "category", "categories")
    return text if pixel == image else f"{text}, pixel AUROC of {pixel}"


def _below(table: PaperTable, points: Sequence[Line], said: Sequence[str]) -> list[str]:
    """Lines of text below the curves."""
    texts = dict.fromkeys([*(c.text for c in table.conditions if c.loud), *said])
    scores = [line.score for line in points if line.score]
    if any(score.deviation(metric) is not None for score in scores for metric in AUROCS):
        texts["bars: sample standard deviation over the seeds"] = None
    lines = [line for text in texts for line in textwrap.wrap(text, _COLUMNS)]
    if len(lines) <= _MOST_LINES:
        return lines
    left = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"… {left} more lines of this in {table.name}.md"]
