"""The frozen encoder against torchvision's own ResNet18, taken apart by hooks."""

from __future__ import annotations

import torch
import torchvision
from torch import nn

from memseg.model.backbone import build_encoder
from memseg.model.weights import EncoderWeights


def test_the_trunk_is_a_resnet18_of_normalised_images_up_to_block_3() -> None:
    """Mean and deviation are torchvision's; the stem's output is taken after its ReLU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        whole = torchvision.models.resnet18(weights=None)
        for norm in whole.modules():
            if isinstance(norm, nn.BatchNorm2d):
                for tensor in (norm.weight.data, norm.running_var):
                    assert tensor is not None
                    tensor.uniform_(0.5, 1.5)
                for tensor in (norm.bias.data, norm.running_mean):
                    assert tensor is not None
                    tensor.normal_(0, 0.3)
        images = torch.rand(2, 3, 64, 64)
    trunk, _ = build_encoder(EncoderWeights("made", whole.state_dict()))
    stem, levels = trunk(images)

    kept: dict[str, torch.Tensor] = {}
    for name in ("bn1", "layer1", "layer2", "layer3"):
        getattr(whole, name).register_forward_hook(
            lambda _, __, out, name=name: kept.update({name: out.clone()})
        )
    of_imagenet = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    mean, deviation = (
        torch.tensor(values, dtype=torch.float64)[:, None, None]
        for values in (of_imagenet.mean, of_imagenet.std)
    )
    with torch.no_grad():
        whole.double().eval()((images.double() - mean) / deviation)
    expected = [kept["bn1"].clamp(min=0), kept["layer1"], kept["layer2"], kept["layer3"]]
    for found, wanted in zip([stem, *levels], expected, strict=True):
        assert float(wanted.std()) > 0.1
        torch.testing.assert_close(found.double(), wanted, atol=1e-4, rtol=1e-4)
