"""Small images to simulate anomalies on."""

import numpy as np
import pytest
import torch

SIZE = 64


@pytest.fixture(scope="session")
def images() -> torch.Tensor:
    """(4, 3, 64, 64) float in [0, 1]: smooth, coloured, no two alike."""
    random = torch.Generator().manual_seed(1)
    coarse = torch.rand(4, 3, 5, 5, generator=random)
    smooth = torch.nn.functional.interpolate(coarse, SIZE, mode="bilinear", align_corners=True)
    return smooth.clamp(0, 1)


@pytest.fixture(scope="session")
def foregrounds() -> torch.Tensor:
    """(4, 64, 64) bool: everything, a half, a frame, a small square."""
    masks = torch.zeros(4, SIZE, SIZE, dtype=torch.bool)
    masks[0] = True
    masks[1, :, 32:] = True
    masks[2] = True
    masks[2, 8:-8, 8:-8] = False
    masks[3, 20:32, 40:52] = True
    return masks


@pytest.fixture(scope="session")
def textures() -> torch.Tensor:
    """(5, 3, 64, 64) uint8 noise."""
    random = np.random.default_rng(2)
    return torch.from_numpy(random.integers(0, 256, (5, 3, SIZE, SIZE)).astype(np.uint8))
