"""The picture that goes with a model: test images with their anomaly maps, hard ones first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from memseg.data.product import Product
from memseg.figures.overlay import overlay_sheet
from memseg.metrics.image_score import image_score

MOST_PER_CLASS = 5


def example_sheet(product: Product, maps: npt.NDArray[np.float32], top_pixels: int) -> bytes:
    """A PNG of the anomalous images with the lowest scores and the normal ones with the highest.

    ``maps``: (m, S, S) of the product's m >= 1 test images; ``top_pixels``: of the image score.
    """
    scores = image_score(maps, top_pixels)
    chosen = hardest(scores, product.test_labels, MOST_PER_CLASS)
    titles = [
        f"{product.test_defects[i]} {product.test_names[i].rpartition('/')[2]}: {scores[i]:.3f}"
        for i in chosen
    ]
    masks = None if product.masks is None else product.masks[chosen]
    return overlay_sheet(product.test[chosen], maps[chosen], masks, titles)


def hardest(
    scores: npt.NDArray[np.floating], labels: npt.NDArray[np.bool_], most: int
) -> list[int]:
    """Indices of the lowest-scoring anomalous and the highest-scoring normal images. Pure."""
    order = np.argsort(scores, kind="stable")
    anomalous = [int(i) for i in order if labels[i]]
    normal = [int(i) for i in order[::-1] if not labels[i]]
    return anomalous[:most] + normal[:most]
