"""Small jobs that really run, inline or on a Ray of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from memseg.data.demo import draw_demo

SMALL = [
    "--encoder_weights", "random",
    "--image.size", "64",
    "--memory.samples", "3",
    "--training.max_steps", "4",
    "--training.batch_size", "2",
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
def small() -> list[str]:
    """Settings of a trial that takes about two seconds, as arguments."""
    return SMALL
