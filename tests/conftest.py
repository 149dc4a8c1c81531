"""What all tests share."""

from pathlib import Path

import pytest

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small tensors gain nothing from threads, and waiting threads cost much on busy machines."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images, textures and weights; skips where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"real data are not at {REAL_DATA}")
    return REAL_DATA
