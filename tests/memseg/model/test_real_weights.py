"""ImageNet's weights on real products."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from memseg.config import MethodConfig
from memseg.config.encoder import encoder_identity
from memseg.data.decoding import decode_image
from memseg.model.network import build_network
from memseg.model.weights import load_encoder_weights

SIDE = 128


@pytest.fixture
def weights_file(real_data: Path) -> str:
    """Stem and blocks 1 to 3, trained on ImageNet."""
    path = real_data / "weights" / "resnet18_imagenet_stem_layer1-3.pth"
    if not path.is_file():
        pytest.skip(f"no weights at {path}")
    return str(path)


def read_images(folder: Path, first: int, count: int) -> torch.Tensor:
    """(count, 3, 128, 128) uint8."""
    files = sorted(folder.iterdir())[first : first + count]
    images = [decode_image(file.read_bytes(), file.name, SIDE) for file in files]
    return torch.stack([torch.from_numpy(image) for image in images])


@pytest.mark.real_data
def test_stem_and_blocks_1_to_3_fit_without_block_4(weights_file: str) -> None:
    found = load_encoder_weights(weights_file)
    assert not found.has_layer4
    assert found.identity == encoder_identity(weights_file)


@pytest.mark.real_data
def test_a_missing_transistor_differs_more_from_the_memory_than_a_good_one(
    weights_file: str, real_data: Path, make_config: Callable[..., MethodConfig]
) -> None:
    transistor = real_data / "mvtec_ad" / "transistor"
    memory = read_images(transistor / "train" / "good", 0, 12)
    weights = load_encoder_weights(weights_file)
    network = build_network(make_config(image__size=SIDE), memory, weights, 0)
    good = read_images(transistor / "test" / "good", 0, 8).float() / 255
    misplaced = read_images(transistor / "test" / "misplaced", 0, 8).float() / 255
    for normal, anomalous in zip(
        network.difference_information(good), network.difference_information(misplaced)
    ):
        assert float(anomalous.mean()) > 1.2 * float(normal.mean())
    for own in network.difference_information(memory[:4].float() / 255):
        assert float(own.max()) < 1e-2
