"""The few figures of a version that a change of an alias is remembered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memseg.errors import RegistryError, StorageDownError, StorageError
from memseg.versions.version import Version

METRICS = ("image_auroc", "pixel_auroc", "aupro")


def figures_of(version: Version) -> Mapping[str, Any] | None:
    """Metrics on the test set, synthetic score, selection; None where they cannot be read.

    That a damaged champion has no figures must not keep anybody from replacing it.
    """
    try:
        metrics = version.read_json("metrics.json")
        test, synthetic = metrics["test"], metrics["synthetic"]
        provenance = version.read_json("provenance.json")
        return {
            **{name: test[name] for name in METRICS},
            "synthetic_score": synthetic["score"] if synthetic else None,
            "selection": provenance["selection"],
            "test_fingerprint": provenance["inputs"]["test_fingerprint"],
        }
    except StorageDownError:
        raise
    except (RegistryError, StorageError, KeyError, TypeError):
        return None
