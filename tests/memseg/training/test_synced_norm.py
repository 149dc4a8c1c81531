"""The BatchNorm of several workers, in one process: alone it is the norm it takes over from."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from memseg.training.synced_norm import SyncedBatchNorm2d, synchronise_norms
from memseg.training.workers import ALONE, Workers
from tests.memseg.training.conftest import make_bench


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_alone_it_is_batch_norm_in_each_precision_and_layout(
    dtype: torch.dtype, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(6).to(torch.promote_types(dtype, torch.float32))
    synced = SyncedBatchNorm2d(copy.deepcopy(norm), 1)
    values = (torch.randn(4, 6, 5, 5) * 2 + 30).to(dtype).contiguous(memory_format=layout)
    found = []
    for module in (norm, synced):
        x = values.clone().requires_grad_()
        y = nn.functional.relu(module(x), inplace=True)
        assert y.dtype == dtype
        assert y.is_contiguous(memory_format=layout)
        (y * torch.arange(5.0, dtype=dtype)).sum().backward()
        found.append(
            [y, x.grad, module.weight.grad, module.bias.grad, *module.state_dict().values()]
        )
    tolerance = {torch.float64: 1e-11, torch.float32: 1e-4, torch.bfloat16: 3e-2}[dtype]
    for one, other in zip(*found):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def test_trained_norms_alone_are_replaced_under_the_same_names() -> None:
    network = make_bench().network()
    names, parameters = list(network.state_dict()), [id(p) for p in network.parameters()]
    synchronise_norms(network, Workers(0, 2))
    norms = {n: m for n, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)}
    plain = {n for n, m in norms.items() if not isinstance(m, SyncedBatchNorm2d)}
    assert plain == {n for n in norms if n.startswith("trunk.")}
    assert {n.split(".")[0] for n in norms.keys() - plain} == {"bottleneck", "fusion", "decoder"}
    assert list(network.state_dict()) == names
    assert [id(p) for p in network.parameters()] == parameters


def test_one_worker_changes_nothing() -> None:
    network = make_bench().network()
    before = dict(network.named_modules())
    synchronise_norms(network, ALONE)
    assert dict(network.named_modules()) == before
