"""Judges versions of the registry on images of today. Without Ray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from memseg.data.product import Product
from memseg.evaluation.maps import anomaly_maps
from memseg.evaluation.synthetic import evaluate_synthetic
from memseg.metrics.evaluate import compute_metrics
from memseg.prediction.restoring import config_of, restore
from memseg.training.execution import Execution, make_execution, set_threads
from memseg.versions.version import Version
from orchestrator.planning.trial import Trial
from orchestrator.running.inputs import planned_product
from orchestrator.running.placement import Placement
from orchestrator.running.sources import Sources

SYNTHETIC, IMAGE, PIXEL = "synthetic score", "test image AUROC", "test pixel AUROC"


def judge(
    versions: Sequence[Version],
    trial: Trial,
    unseen: Sequence[str],
    known_tests: Sequence[str],
    sources: Sources,
    placement: Placement,
) -> dict[str, dict[str, float | None]]:
    """Version -> figure -> value in [0, 1], larger is better; None where it is not defined.

    ``trial``: says which images and which validation anomalies: the same for all versions.
    ``unseen``: names of the normal images that validation is made of; none: not judged by it.
    Test figures are of the trial's test images but ``known_tests``. Raises MemSegError.
    """
    set_threads(placement.threads)
    products: dict[int, Product] = {}
    found = {}
    for version in versions:
        config = config_of(version)
        size = config.image.size
        if size not in products:
            products[size] = _without_tests(
                planned_product(sources, trial, size), frozenset(known_tests)
            )
        product = products[size]
        execution = make_execution(
            placement.device, trial.method.training.precision, config.training.channels_last
        )
        found[version.id] = _figures(version, trial, product, unseen, execution)
    return found


def _without_tests(product: Product, names: frozenset[str]) -> Product:
    keep = [i for i, name in enumerate(product.test_names) if name not in names]
    if len(keep) == len(product.test_names):
        return product
    return replace(
        product,
        test=product.test[keep],
        test_names=tuple(product.test_names[i] for i in keep),
        test_defects=tuple(product.test_defects[i] for i in keep),
        test_labels=product.test_labels[keep],
        masks=None if product.masks is None else product.masks[keep],
    )


def _figures(
    version: Version,
    trial: Trial,
    product: Product,
    unseen: Sequence[str],
    execution: Execution,
) -> dict[str, float | None]:
    network = restore(version)
    execution.place(network)
    wanted = frozenset(unseen)
    normal = product.train[[i for i, name in enumerate(product.train_names) if name in wanted]]
    synthetic = evaluate_synthetic(
        network, np.ascontiguousarray(normal), trial.method, trial.seed, execution
    )
    settings = trial.method.evaluation
    metrics = compute_metrics(
        anomaly_maps(network, product.test, execution),
        product.test_labels, product.masks, settings.top_pixels, settings.aupro_limit,
    ).values  # fmt: skip
    return {
        SYNTHETIC: synthetic.score if synthetic else None,
        IMAGE: metrics["image_auroc"],
        PIXEL: metrics["pixel_auroc"],
    }
