"""Parameters and floating-point operations of a network by component. N memory samples.

An operation is one addition or one multiplication: a multiply-add is two. Convolutions and matrix
products are counted by torch's FlopCounterMode as they run. The comparison with the memory works
element by element, which it does not count, so it has a formula (``comparison_flops``). Not
counted are BatchNorm, activations, pooling, interpolation, softmax and the products with
attention maps: a few operations an element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from memseg.config.method import DifferenceConfig
from memseg.model.backbone import CHANNELS
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution

TRUNK, COMPARISON, BOTTLENECK, FUSION, DECODER = (
    "trunk (stem, blocks 1-3)", "memory comparison", "bottleneck (block 4)", "fusion", "decoder",
)  # fmt: skip
_MODULES = {"trunk": TRUNK, "bottleneck": BOTTLENECK, "fusion": FUSION, "decoder": DECODER}


@dataclass(frozen=True)
class Parameters:
    """Numbers of parameters."""

    trained: int
    frozen: int


def count_parameters(network: MemSegNet) -> Parameters:
    """Trained: block 4, fusion and decoder; frozen: stem and blocks 1 to 3. No buffers."""
    counted = {True: 0, False: 0}
    for parameter in network.parameters():
        counted[parameter.requires_grad] += parameter.numel()
    return Parameters(counted[True], counted[False])


@torch.no_grad()
def count_flops(network: MemSegNet, side: int, execution: Execution) -> Mapping[str, int]:
    """Component -> operations for one image of ``side`` pixels; the memory's features are there."""
    image = execution.images(torch.zeros(1, 3, side, side, dtype=torch.uint8))
    network.eval()
    with execution.autocast():
        network(image)  # makes the memory's features, where they are not there yet
        with FlopCounterMode(display=False) as counter:
            network(image)
    found = counter.get_flop_counts()
    name = type(network).__name__
    counts = {
        component: sum(found.get(f"{name}.{module}", {}).values())
        for module, component in _MODULES.items()
    }
    if network.memory is not None:
        samples = len(network.memory.images)
        counts[COMPARISON] = comparison_flops(network.difference, samples, side)
    order = (TRUNK, COMPARISON, BOTTLENECK, FUSION, DECODER)
    return {component: counts[component] for component in order if component in counts}


def comparison_flops(config: DifferenceConfig, samples: int, side: int) -> int:
    """E (k² + 3N + 3) operations for one image, E (k² + 2N + 9) for squared distances.

    E elements of the features of levels 1 to 3; k side of the smoothing: k² for the average about
    an element (none for k = 1). Absolute: a subtraction, an absolute value and an addition for
    each element and sample. Squared: a multiply-add each, and the two nearest again. Then
    difference to the nearest sample and factor, and the mean over channels.
    """
    elements = sum(c * (side // stride) ** 2 for c, stride in zip(CHANNELS, (4, 8, 16)))
    smoothing = config.smoothing**2 if config.smoothing > 1 else 0
    each = 3 * samples if config.distance == "absolute" else 2 * samples + 6
    divided = 0 if config.normalisation == "none" else 1
    return elements * (smoothing + each + 3 + divided)
