"""Cluster files and what they are checked against."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.cluster.validators import manifest_validator

PLURALS = {"raycluster.yaml": "rayclusters", "rayjob.yaml": "rayjobs"}


@pytest.fixture(scope="session")
def crds(real_data: Path) -> dict[str, Draft202012Validator]:
    """What each manifest is held against; skips where the definitions are absent."""
    folder = real_data / "kuberay"
    if not folder.is_dir():
        pytest.skip(f"KubeRay's custom resource definitions are not at {folder}")
    return {name: manifest_validator(folder, plural, "v1") for name, plural in PLURALS.items()}
