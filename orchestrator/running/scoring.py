"""How good a network is in the middle of its training: what gates and chosen steps go by."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from memseg.data.product import Product
from memseg.data.roles import Roles
from memseg.errors import DataError, SettingError
from memseg.evaluation.maps import anomaly_maps
from memseg.evaluation.synthetic import evaluate_synthetic
from memseg.metrics.evaluate import compute_metrics
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution
from orchestrator.planning.trial import Trial

Score = Callable[[], float]
"""Of the network as it is; larger is better."""


def on_validation(
    network: MemSegNet, trial: Trial, product: Product, roles: Roles, execution: Execution,
    batch: int,
) -> Score:  # fmt: skip
    """On synthetic validation. It raises SettingError where nothing is held out."""

    def score() -> float:
        held_out = product.train[list(roles.held_out)]
        found = evaluate_synthetic(network, held_out, trial.method, trial.seed, execution, batch)
        if found is None:
            raise SettingError(
                "successive halving and training.reported_step validation judge by held-out "
                "images, and none are: raise validation.held_out_share, or set scheduler none and "
                "reported_step last"
            )
        return found.score

    return score


def on_test(
    network: MemSegNet, trial: Trial, product: Product, execution: Execution, batch: int
) -> Score:
    """On the test set: the mean of image and pixel AUROC, or the image's alone without masks.

    Raises DataError, before any training, for a test set of one class.
    """
    labels, settings = product.test_labels, trial.method.evaluation
    if labels.all() or not labels.any():
        raise DataError(
            f"{product.category} cannot have training.reported_step test: its test set does not "
            "have both normal and anomalous images"
        )

    def score() -> float:
        maps = anomaly_maps(network, product.test, execution, batch)
        values = compute_metrics(
            maps, labels, product.masks, settings.top_pixels, settings.aupro_limit
        ).values
        found = [values[name] for name in ("image_auroc", "pixel_auroc")]
        return statistics.fmean(value for value in found if value is not None)

    return score
