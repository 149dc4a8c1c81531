"""What all tests share."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


_RAY = Path(tempfile.gettempdir()) / f"memseg-tests-{os.getpid()}"


# Ray's environment for tests: a token of their own, quick checks, no cluster of others. Here, and
# not in a fixture: Ray reads it when it is first imported, which some other conftest does.
_RAY.mkdir(exist_ok=True)
(_RAY / "token").write_text("a" * 64)
os.environ.update(
    {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(_RAY / "token"),
        "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
        "RAY_worker_niceness": "0",  # another process of tests would leave them nothing
    }
)
os.environ.pop("RAY_ADDRESS", None)

# No test survives a power failure, and ten thousand small files wait for their disk otherwise. What
# is flushed, and when, is tested by tests that put their own function in its place.
os.fsync = lambda descriptor: None


def pytest_unconfigure() -> None:
    """Leaves nothing behind."""
    shutil.rmtree(_RAY, ignore_errors=True)


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
