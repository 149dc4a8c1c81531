"""From kept networks and test images to the paper's pictures. Evaluates, never trains.

S side in pixels. Pictures show the first seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from memseg.config.method import ForegroundConfig
from memseg.data.product import Product
from memseg.errors import SettingError
from memseg.evaluation.attention import attention_steps
from memseg.evaluation.feature_space import LEAST_IMAGES, FeatureSpace, feature_space
from memseg.evaluation.maps import anomaly_maps
from memseg.figures.attention import attention_figure
from memseg.figures.edges import edges_figure
from memseg.figures.feature_space import feature_space_figure
from memseg.figures.localisation import localisation_figure
from memseg.figures.panels import MOST_ROWS
from memseg.figures.simulation import simulation_figure
from memseg.metrics.image_score import image_score
from memseg.simulation.examples import Example, simulated_examples, simulated_images
from memseg.simulation.foreground import foreground_masks, resolved_foreground
from orchestrator.planning.trial import Trial
from orchestrator.reproduce.experiment import Finished
from orchestrator.reproduce.gathering import NothingToShowError, Trials
from orchestrator.reproduce.notes import picture_notes, untrained_notes
from orchestrator.reproduce.opening import (
    TextureShelf,
    is_done,
    normal_test_images,
    of_each_defect,
    open_network,
    open_product,
    training_images,
)

WHOLE, FOCAL = "all", "focal"
"""Rows: the job's own settings; the focal loss alone."""
EXAMPLES = 4
"""Rows of figure 3: two textural and two structural anomalies, where both are simulated."""


def draw_simulation(finished: Finished, trials: Trials, textures: TextureShelf) -> bytes:
    """Figure 3 of a category: anomalies on its first training images, as its settings say."""
    trial = trials[WHOLE][0]
    product = open_product(finished, trial)
    training = training_images(finished, trial, product)
    images = np.ascontiguousarray(product.train[training])
    names = [product.train_names[i] for i in training]
    foreground = resolved_foreground(images, trial.method.foreground)
    shown, titles = images[:EXAMPLES], names[:EXAMPLES]
    examples = _simulated(trial, foreground, shown, textures, titles)
    drawn = "The anomalies are drawn as in training, but they are others."
    if not is_done(finished, trial) and trial.method.memory.selection != "random":
        drawn += " Not trained yet: some of these images may be memory samples then."
    notes = (
        f"foreground.mode {foreground.mode}. {drawn}",
        *untrained_notes(finished.part, trial.category),
    )
    return simulation_figure(examples, titles, notes)


def draw_localisation(finished: Finished, trials: Trials) -> bytes:
    """Figure 5 of a category."""
    trial = trials[WHOLE][0]
    product = open_product(finished, trial)
    images, masks, chosen = _defects(product)
    maps = _maps(finished, trial, WHOLE, images)
    titles = _titles(product, chosen, maps, trial.method.evaluation.top_pixels)
    notes = (
        _of_each(product, chosen),
        *picture_notes(finished.part, (trial.category,), finished.records),
    )
    return localisation_figure(images, masks, maps, titles, notes)


def draw_edges(finished: Finished, trials: Trials) -> bytes:
    """Figure 7 of a category: with the L1 loss and without it."""
    whole, focal = trials[WHOLE][0], trials[FOCAL][0]
    product = open_product(finished, whole)
    images, masks, chosen = _defects(product)
    maps = {
        "focal loss alone": _maps(finished, focal, FOCAL, images),
        "L1 and focal loss": _maps(finished, whole, WHOLE, images),
    }
    notes = (
        _of_each(product, chosen),
        *picture_notes(finished.part, (whole.category,), finished.records),
    )
    return edges_figure(images, masks, maps, _names(product, chosen), notes=notes)


def draw_attention(finished: Finished, trials: Trials) -> bytes:
    """Figure 9 of a category. Raises SettingError for a network without memory."""
    trial = trials[WHOLE][0]
    if not trial.method.model.memory:
        raise SettingError("model.memory is off: without a memory there is no difference to show")
    product = open_product(finished, trial)
    images, masks, chosen = _defects(product)
    opened = open_network(finished, trial, WHOLE)
    steps = attention_steps(opened.network, images, opened.execution)
    titles = _titles(product, chosen, steps.maps, trial.method.evaluation.top_pixels)
    notes = (
        _of_each(product, chosen),
        *picture_notes(finished.part, (trial.category,), finished.records),
    )
    return attention_figure(images, masks, steps, titles, notes=notes)


def make_space(finished: Finished, trials: Trials, textures: TextureShelf) -> FeatureSpace:
    """A category of figure 6.

    Every second normal test image gets a simulated anomaly, the others are the normal ones:
    nothing else is at hand that the network was not trained on, where nothing was held out.
    """
    trial = trials[WHOLE][0]
    product = open_product(finished, trial)
    normal = normal_test_images(product, least=2)
    anomalous = product.test[product.test_labels]
    if not len(anomalous):
        raise NothingToShowError("it has no anomalous test image")
    if len(normal) + len(anomalous) < LEAST_IMAGES:
        raise NothingToShowError(f"t-SNE needs at least {LEAST_IMAGES} test images")
    below = np.ascontiguousarray(normal[1::2])
    training = product.train[training_images(finished, trial, product)]
    foreground = resolved_foreground(training, trial.method.foreground)
    examples = _simulated(trial, foreground, below, textures)
    opened = open_network(finished, trial, WHOLE)
    return feature_space(
        opened.network, np.ascontiguousarray(normal[::2]), simulated_images(examples), anomalous,
        opened.execution, trial.seed, trial.category,
    )  # fmt: skip


def draw_feature_spaces(finished: Finished, spaces: Mapping[str, FeatureSpace]) -> bytes:
    """Figure 6 of at most MOST_PLOTS categories."""
    notes = (
        "Images: all of the test set; every second normal one has a simulated anomaly and is not "
        "among the normal ones.",
        *picture_notes(finished.part, tuple(spaces), finished.records),
    )
    return feature_space_figure(list(spaces.values()), notes)


def _simulated(
    trial: Trial,
    foreground: ForegroundConfig,
    images: npt.NDArray[np.uint8],
    textures: TextureShelf,
    names: Sequence[str] | None = None,
) -> list[Example]:
    """An anomaly on each image. ``foreground``: resolved by all images that are trained on."""
    return simulated_examples(
        images,
        foreground_masks(images, foreground, names).numpy(),
        textures.of(trial),
        trial.method.simulation,
        trial.seed,
    )


def _maps(
    finished: Finished, trial: Trial, row: str, images: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    opened = open_network(finished, trial, row)
    return anomaly_maps(opened.network, images, opened.execution)


def _defects(
    product: Product,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], list[int]]:
    """Images, masks and indices of what is shown. Raises NothingToShowError."""
    chosen = of_each_defect(product, MOST_ROWS)
    masks = product.masks
    if masks is None:
        raise NothingToShowError("it has no ground-truth masks")
    return np.ascontiguousarray(product.test[chosen]), masks[chosen], chosen


def _of_each(product: Product, chosen: Sequence[int]) -> str:
    text = "Images: the first of each type of defect by name, not chosen by how they look."
    labelled = zip(product.test_defects, product.test_labels)
    types = len({defect for defect, anomalous in labelled if anomalous})
    if types > len(chosen):
        text += f" The first {len(chosen)} of {types} types."
    return text


def _names(product: Product, chosen: Sequence[int]) -> list[str]:
    return [
        f"{product.category}, {product.test_defects[i]} {product.test_names[i].rpartition('/')[2]}"
        for i in chosen
    ]


def _titles(
    product: Product,
    chosen: Sequence[int],
    maps: npt.NDArray[np.float32],
    top_pixels: int,
) -> list[str]:
    """With the image's score."""
    scores = image_score(maps, top_pixels)
    return [f"{name}, score {score:.3f}" for name, score in zip(_names(product, chosen), scores)]
