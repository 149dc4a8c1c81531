"""Normal, simulated and real anomalous images in the bottleneck's feature space (figure 6).

n images, S side in pixels, C = 512 channels of block 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial.distance import cdist
from sklearn.manifold import TSNE

from memseg.errors import DataError
from memseg.evaluation.batch import BATCH
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution

NORMAL, SIMULATED, ANOMALOUS = "normal", "simulated anomaly", "real anomaly"
KINDS = (NORMAL, SIMULATED, ANOMALOUS)
LEAST_IMAGES = 5
PERPLEXITY = 30.0


@dataclass(frozen=True)
class FeatureSpace:
    """Images of one category in two dimensions, and how they lie in all of them."""

    title: str
    """The category."""
    points: npt.NDArray[np.float64]
    """(n, 2), by t-SNE; axes and distances have no unit."""
    kinds: npt.NDArray[np.str_]
    """(n,), each of ``KINDS``."""
    nearest: Mapping[str, Mapping[str, float]]
    """Kind -> kind -> share of its images whose nearest other image, by all channels, is of that
    kind. What t-SNE shows may be its own making; this is not."""
    perplexity: float
    seed: int


def feature_space(
    network: MemSegNet,
    normal: npt.NDArray[np.uint8],
    simulated: npt.NDArray[np.uint8],
    anomalous: npt.NDArray[np.uint8],
    execution: Execution,
    seed: int,
    title: str,
) -> FeatureSpace:
    """t-SNE of the bottleneck's features of three kinds of images, each (·, 3, S, S) uint8.

    ``normal`` and ``anomalous`` are test images; ``simulated`` are anomalies made as training
    makes them (``memseg.simulation.examples``), on held-out images, not on those of ``normal``:
    each would lie beside the image that it was made of. Equal arguments give equal points (on
    one machine). Raises DataError for less than ``LEAST_IMAGES`` images in all, and where all
    images have the same features.
    """
    groups = dict(zip(KINDS, (normal, simulated, anomalous)))
    kinds = np.array([kind for kind, images in groups.items() for _ in images])
    if len(kinds) < LEAST_IMAGES:
        raise DataError(
            f"t-SNE of {title} needs at least {LEAST_IMAGES} images in all, got {len(kinds)}"
        )
    features = np.concatenate(
        [bottleneck_features(network, i, execution) for i in groups.values() if len(i)]
    )
    if not np.ptp(features, axis=0).any():
        # scikit-learn's t-SNE divides by the spread, and can crash.
        raise DataError(f"t-SNE of {title}: block 4 gives the same features for every image")
    perplexity = min(PERPLEXITY, (len(kinds) - 1) / 3)
    points = TSNE(
        perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed % 2**32
    ).fit_transform(features)  # fmt: skip
    return FeatureSpace(
        title=title,
        points=np.asarray(points, np.float64),
        kinds=kinds,
        nearest=nearest_kinds(features, kinds),
        perplexity=perplexity,
        seed=seed,
    )


def bottleneck_features(
    network: MemSegNet, images: npt.NDArray[np.uint8], execution: Execution
) -> npt.NDArray[np.float32]:
    """Block 4's output, averaged over its S/32 by S/32 places: (n, C).

    The paper shows "the output of the encoder" and does not say how it is pooled. Averaged,
    where in the image a defect lies does not part images, only what is there.
    """
    network.eval()
    parts = []
    for start in range(0, len(images), BATCH):
        part = torch.from_numpy(np.array(images[start : start + BATCH]))
        with torch.inference_mode(), execution.autocast():
            found = network.bottleneck(network.trunk(execution.images(part))[1][-1])
        parts.append(found.float().mean((2, 3)).cpu().numpy())
    return np.concatenate(parts)


def nearest_kinds(
    features: npt.NDArray[np.float32], kinds: npt.NDArray[np.str_]
) -> dict[str, dict[str, float]]:
    """For the images of each kind the shares of kinds of their nearest other images."""
    wide = features.astype(np.float64)
    between = cdist(wide, wide, "sqeuclidean")
    np.fill_diagonal(between, np.inf)
    neighbours = kinds[between.argmin(1)]
    there = [kind for kind in KINDS if (kinds == kind).any()]
    return {
        kind: {other: float((neighbours[kinds == kind] == other).mean()) for other in there}
        for kind in there
    }
