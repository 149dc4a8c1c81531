"""Small jobs that really run, inline or on a Ray of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memseg.data.demo import draw_demo

SMALL = [
    "--encoder_weights", "random",
    "--image.size", "64",
    "--memory.samples", "3",
    "--training.max_steps", "4",
    "--training.batch_size", "4",
    "--training.precision", "fp32",
    "--validation.held_out_least", "2",
    "--validation.held_out_most", "3",
]  # fmt: skip
"""Settings of a trial that takes about two seconds."""


@pytest.fixture(scope="session")
def product_lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the demo's product lines, drawn small."""
    root = tmp_path_factory.mktemp("lines")
    draw_demo(root, size=64, normal=14)
    return root


@pytest.fixture(scope="session")
def private_ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ray's environment for tests: token and temporary files of their own, quick checks."""
    home = tmp_path_factory.mktemp("ray")
    changed = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(home / "token"),
        "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    }
    (home / "token").write_text("a" * 64)
    before = {name: os.environ.get(name) for name in (*changed, "RAY_ADDRESS")}
    os.environ.update(changed)
    os.environ.pop("RAY_ADDRESS", None)
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def small() -> list[str]:
    """Settings of a trial that takes about two seconds, as arguments."""
    return SMALL
