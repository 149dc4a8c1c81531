"""Figures 3, 5, 6, 7 and 9: a picture of each category, or one of all of them.

What opens networks and draws is imported where it is used: torch takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.aggregation.conditions import Condition
from orchestrator.aggregation.terminal import condition_texts, sentences
from orchestrator.reproduce.experiment import Finished, Output
from orchestrator.reproduce.gathering import Gathered, of_each_category
from orchestrator.reproduce.notes import loudest_first, notes_of


def make_simulation(finished: Finished) -> Output:
    """Figure 3."""
    from orchestrator.reproduce.drawing import draw_simulation
    from orchestrator.reproduce.opening import TextureShelf

    textures = TextureShelf(finished)
    return _a_category_each(
        finished, of_each_category(finished, lambda t: draw_simulation(finished, t, textures))
    )


def make_localisation(finished: Finished) -> Output:
    """Figure 5."""
    from orchestrator.reproduce.drawing import draw_localisation

    return _a_category_each(
        finished, of_each_category(finished, lambda t: draw_localisation(finished, t))
    )


def make_feature_space(finished: Finished) -> Output:
    """Figure 6: all categories in one picture, or as many as one has room for in each."""
    from memseg.figures.feature_space import MOST_PLOTS
    from orchestrator.reproduce.drawing import draw_feature_spaces, make_space
    from orchestrator.reproduce.opening import TextureShelf

    textures = TextureShelf(finished)
    spaces = of_each_category(finished, lambda t: make_space(finished, t, textures))
    files = {
        name: draw_feature_spaces(finished, {c: spaces.found[c] for c in categories})
        for name, categories in pages(
            finished.part.experiment.name, tuple(spaces.found), MOST_PLOTS
        ).items()
    }
    return _output(finished, files, spaces)


def make_edges(finished: Finished) -> Output:
    """Figure 7."""
    from orchestrator.reproduce.drawing import draw_edges

    return _a_category_each(finished, of_each_category(finished, lambda t: draw_edges(finished, t)))


def make_attention(finished: Finished) -> Output:
    """Figure 9."""
    from orchestrator.reproduce.drawing import draw_attention

    return _a_category_each(
        finished, of_each_category(finished, lambda t: draw_attention(finished, t))
    )


def pages(name: str, categories: Sequence[str], most: int) -> dict[str, Sequence[str]]:
    """Which categories each picture shows: ``figure6.png``, or ``figure6-1.png`` and so on."""
    if len(categories) <= most:
        return {f"{name}.png": categories} if categories else {}
    starts = range(0, len(categories), most)
    return {
        f"{name}-{page}.png": categories[start : start + most]
        for page, start in enumerate(starts, start=1)
    }


def picture_files(name: str, pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """``figure5-screw.png`` and so on."""
    return {f"{name}-{category}.png": png for category, png in pictures.items()}


def _a_category_each(finished: Finished, pictures: Gathered[bytes]) -> Output:
    files = picture_files(finished.part.experiment.name, pictures.found)
    return _output(finished, files, pictures)


def _output(finished: Finished, files: Mapping[str, bytes], made: Gathered[object]) -> Output:
    notes = notes_of(
        finished.part, finished.records, tuple(made.found), of_metrics=False, pictures=True
    )
    conditions = loudest_first([*made.conditions(), *notes])
    return Output(
        files, shown(finished.part.experiment.title, conditions), complete=not made.problems
    )


def shown(title: str, conditions: Iterable[Condition]) -> RenderableType:
    """A title with what a reader has to know, for the terminal."""
    said = sentences(condition_texts(conditions))
    return Group(Text(), Text(title, style="bold"), Text(), said)
