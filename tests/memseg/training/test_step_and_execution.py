"""One step: what it moves and what it must not; the optimiser; where a network computes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from memseg.config.method import LossConfig, OptimizerConfig
from memseg.errors import DeviceError, SettingError
from memseg.losses.losses import memseg_loss
from memseg.model.network import MemSegNet
from memseg.training.execution import Execution, make_execution
from memseg.training.loop import make_batch
from memseg.training.step import make_optimizer, set_learning_rate, train_step

FROZEN = ("trunk.", "memory.")


def state_of(network: MemSegNet) -> dict[str, torch.Tensor]:
    """Parameters and all buffers, those that are not stored too."""
    named = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    return {name: value.detach().clone() for name, value in named.items()}


def batch_of(bench: Any, step: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return make_batch(bench.data, bench.simulator(), bench.config, 3, step, bench.execution)


# The optimiser


def test_sgd_has_the_settings_of_the_configuration() -> None:
    config = OptimizerConfig(lr=0.02, momentum=0.8, weight_decay=1e-3)
    optimizer = make_optimizer(config, [torch.nn.Parameter(torch.ones(2))])
    assert type(optimizer) is torch.optim.SGD
    (group,) = optimizer.param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.02, 0.8, 1e-3)
    assert (group["nesterov"], group["dampening"]) == (False, 0)


def test_adamw_has_the_settings_of_the_configuration() -> None:
    config = OptimizerConfig(name="adamw", lr=1e-3, weight_decay=0.01)
    optimizer = make_optimizer(config, [torch.nn.Parameter(torch.ones(2))])
    assert type(optimizer) is torch.optim.AdamW
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (1e-3, 0.01)


def test_momentum_and_weight_decay_are_at_work() -> None:
    """Two steps by hand: v = 0.9 v + g + decay w, w = w - lr v."""
    config = OptimizerConfig(lr=0.1, momentum=0.9, weight_decay=0.5)
    weight = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = make_optimizer(config, [weight])
    w, v = 2.0, 0.0
    for gradient in (1.0, -3.0):
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        v = 0.9 * v + gradient + 0.5 * w
        w = w - 0.1 * v
        assert weight.item() == pytest.approx(w, abs=1e-12)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_the_optimiser_has_everything_but_the_trunk(bench: Any, name: str) -> None:
    network = bench.network()
    config = OptimizerConfig(name=name)  # type: ignore[arg-type]
    optimizer = make_optimizer(config, network.trainable_parameters())
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    for part, parameter in network.named_parameters():
        assert (id(parameter) in held) != part.startswith(FROZEN), part
        assert parameter.requires_grad != part.startswith(FROZEN), part


def test_the_learning_rate_is_set_in_all_groups() -> None:
    a, b = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([{"params": [a], "lr": 0.5}, {"params": [b]}], lr=0.1)
    set_learning_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
    a.grad, b.grad = torch.ones(1), torch.ones(1)
    optimizer.step()
    assert (a.item(), b.item()) == (0.75, 0.75)


# A step


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_moves_what_is_trained_and_nothing_else(bench: Any, precision: str) -> None:
    network = bench.network()
    execution = make_execution("cpu", precision, channels_last=True)
    config = OptimizerConfig(weight_decay=0.1)  # decay alone would move weights without gradient
    optimizer = make_optimizer(config, network.trainable_parameters())
    images, target = batch_of(bench)
    before = state_of(network)
    gaps = network.difference_information(images)
    for _ in range(2):
        train_step(network, optimizer, images, target, bench.config.loss, execution)
    after = state_of(network)
    assert set(after) == set(before)
    for prefix in FROZEN:
        assert any(name.startswith(prefix) for name in before)
    for name, value in after.items():
        assert torch.equal(before[name], value) == name.startswith(FROZEN), name
        assert bool(torch.isfinite(value).all()), name
    assert all(map(torch.equal, gaps, network.difference_information(images)))
    assert all(p.dtype == torch.float32 for p in network.parameters())


def test_a_step_is_one_gradient_step_of_the_loss_in_train_mode(bench: Any) -> None:
    rate = 0.01
    images, target = batch_of(bench)
    network, plain = bench.network(), bench.network()
    optimizer = make_optimizer(
        OptimizerConfig(lr=rate, momentum=0, weight_decay=0), network.trainable_parameters()
    )
    terms = train_step(
        network.eval(), optimizer, images, target, bench.config.loss, bench.execution
    )
    assert network.training
    expected = memseg_loss(plain.train()(images), target, bench.config.loss)
    names, parameters = zip(*((n, p) for n, p in plain.named_parameters() if p.requires_grad))
    gradients = torch.autograd.grad(expected.total, parameters)
    moved = dict(network.named_parameters())
    for name, parameter, gradient in zip(names, parameters, gradients):
        assert torch.allclose(moved[name], parameter - rate * gradient, atol=1e-6), name
    assert float(terms.total) == pytest.approx(expected.total.item(), rel=1e-5)


def test_the_terms_are_of_the_batch_before_the_update_and_without_gradients(bench: Any) -> None:
    network = bench.network()
    images, target = batch_of(bench)
    with torch.no_grad():
        expected = memseg_loss(bench.network().train()(images), target, bench.config.loss)
    optimizer = make_optimizer(OptimizerConfig(), network.trainable_parameters())
    terms = train_step(network, optimizer, images, target, bench.config.loss, bench.execution)
    for found, wanted in (
        (terms.total, expected.total), (terms.l1, expected.l1), (terms.focal, expected.focal),
    ):  # fmt: skip
        assert not found.requires_grad
        assert float(found) == pytest.approx(float(wanted), rel=1e-5)
    assert float(terms.total) == pytest.approx(0.6 * float(terms.l1) + 0.4 * float(terms.focal))


def test_gradients_of_the_step_before_do_not_add_up(bench: Any) -> None:
    images, target = batch_of(bench)
    networks = [bench.network(), bench.network()]
    for network, leftover in zip(networks, (False, True)):
        if leftover:
            for parameter in network.trainable_parameters():
                parameter.grad = torch.full_like(parameter, 100.0)
        optimizer = make_optimizer(OptimizerConfig(), network.trainable_parameters())
        train_step(network, optimizer, images, target, bench.config.loss, bench.execution)
    first, second = (state_of(network) for network in networks)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_weights_of_the_losses_are_heeded(bench: Any) -> None:
    images, target = batch_of(bench)
    network = bench.network()
    optimizer = make_optimizer(OptimizerConfig(), network.trainable_parameters())
    loss = LossConfig(l1_weight=0, focal_weight=2)
    terms = train_step(network, optimizer, images, target, loss, bench.execution)
    assert float(terms.total) == pytest.approx(2 * float(terms.focal))


# Where and how it computes


@pytest.mark.parametrize("device", ["cpu", "auto"])
@pytest.mark.parametrize("precision", ["auto", "fp16", ""])
def test_a_precision_that_is_not_resolved_is_refused(device: str, precision: str) -> None:
    with pytest.raises(SettingError, match=r"training.precision must be resolved"):
        make_execution(device, precision, channels_last=True)


def test_cuda_that_is_not_there_is_a_device_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"device is cuda.*use auto or cpu"):
        make_execution("cuda", "fp32", channels_last=True)
    assert make_execution("auto", "fp32", channels_last=True).device.type == "cpu"


def test_auto_takes_cuda_where_it_is_and_cpu_stays_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name in ("benchmark", "deterministic", "allow_tf32"):
        monkeypatch.setattr(torch.backends.cudnn, name, getattr(torch.backends.cudnn, name))
    assert make_execution("cpu", "bf16", channels_last=False).device.type == "cpu"
    for device in ("auto", "cuda"):
        assert make_execution(device, "bf16", channels_last=False).device.type == "cuda"
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("channels_last", [True, False])
def test_images_become_floats_in_the_networks_layout(channels_last: bool) -> None:
    execution = make_execution("cpu", "fp32", channels_last)
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).view(2, 3, 4, 4)
    images[0, 0, 0, 0] = 255
    found = execution.images(images)
    assert found.dtype == torch.float32
    assert torch.equal(found, images.float() / 255)
    assert float(found.max()) == 1.0
    assert found.is_contiguous(memory_format=torch.channels_last) == channels_last
    assert int(images[0, 0, 0, 0]) == 255


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_autocast_is_for_bf16_alone_and_ends_with_its_block(precision: str) -> None:
    execution: Execution = make_execution("cpu", precision, channels_last=True)
    convolution = torch.nn.Conv2d(3, 4, 3)
    with execution.autocast():
        found = convolution(torch.ones(1, 3, 5, 5))
    assert found.dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    assert convolution(torch.ones(1, 3, 5, 5)).dtype == torch.float32


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_network_is_placed_in_its_layout_with_the_same_values(channels_last: bool) -> None:
    network = torch.nn.Conv2d(3, 4, 3)
    before = network.weight.detach().clone()
    make_execution("cpu", "fp32", channels_last).place(network)
    assert torch.equal(before, network.weight)
    assert network.weight.is_contiguous(memory_format=torch.channels_last) == channels_last
