"""One optimisation step."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from memseg.config.method import LossConfig, OptimizerConfig
from memseg.losses.losses import LossTerms, memseg_loss
from memseg.training.execution import Execution
from memseg.training.workers import ALONE, Workers


def make_optimizer(
    config: OptimizerConfig, parameters: Iterable[torch.nn.Parameter]
) -> torch.optim.Optimizer:
    """SGD with momentum or AdamW over the trainable parameters (section 4.2)."""
    if config.name == "adamw":
        return torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay)
    return torch.optim.SGD(
        parameters, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Sets the rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def train_step(
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    images: torch.Tensor,
    target: torch.Tensor,
    loss: LossConfig,
    execution: Execution,
    workers: Workers = ALONE,
) -> LossTerms:
    """Forward, loss (eq. 10), backward, update with the gradient of all workers' images.

    ``images``: (B, 3, S, S) float in [0, 1]; ``target``: (B, S, S) float in {0, 1}, 1 where an
    anomaly was simulated; of several workers each has its own. Returns the loss terms of these
    images, on the device, without gradients.
    """
    network.train()
    optimizer.zero_grad(set_to_none=True)
    with execution.autocast():
        logits = network(images)
    terms = memseg_loss(logits, target, loss)
    terms.total.backward()  # type: ignore[no-untyped-call]
    workers.average_gradients(p for group in optimizer.param_groups for p in group["params"])
    optimizer.step()
    return LossTerms(*(value.detach() for value in (terms.total, terms.l1, terms.focal)))
