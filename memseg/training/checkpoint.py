"""Checkpoints: weights, BatchNorm statistics, optimiser state and the step, as safetensors.

Randomness is stateless (memseg.simulation.randomness), so this is everything: a run resumed
from a checkpoint ends in the same bits as one that was not interrupted, on the same machine with
the same number of threads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from memseg.errors import StorageError
from memseg.model.fit import misfits

_NETWORK, _OPTIMIZER = "network.", "optimizer."


def pack(network: torch.nn.Module, optimizer: torch.optim.Optimizer, step: int) -> bytes:
    """A checkpoint after ``step`` optimisation steps."""
    tensors = {_NETWORK + name: value for name, value in network.state_dict().items()}
    scalars: dict[str, Any] = {}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            key = f"{_OPTIMIZER}{index}.{name}"
            if isinstance(value, torch.Tensor):
                tensors[key] = value
            else:
                scalars[key] = value
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    return bytes(save_tensors(plain, {"step": str(step), "scalars": json.dumps(scalars)}))


def unpack(data: bytes, network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Puts a checkpoint into network and optimiser, in place; returns its step.

    Raises StorageError for bytes that are not a checkpoint of this network.
    """
    try:
        tensors = load_tensors(data)
        meta = read_metadata(data)
        step, scalars = int(meta["step"]), json.loads(meta["scalars"])
        stored = {
            name.removeprefix(_NETWORK): value
            for name, value in tensors.items()
            if name.startswith(_NETWORK)
        }
        problems = misfits(stored, network.state_dict())
        if problems:
            raise ValueError(f"it is of another network: {problems}")
        state = _optimizer_state({**tensors, **scalars}, optimizer, step)
    except (SafetensorError, KeyError, ValueError) as error:
        raise StorageError(f"a checkpoint cannot be used: {error}") from error
    network.load_state_dict(stored)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    return step


def _optimizer_state(
    stored: Mapping[str, Any], optimizer: torch.optim.Optimizer, step: int
) -> dict[int, dict[str, Any]]:
    """State by parameter, in the parameters' memory layout. Raises ValueError for a misfit."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in stored.items():
        if key.startswith(_OPTIMIZER):
            place, name = key.removeprefix(_OPTIMIZER).split(".", 1)
            state.setdefault(int(place), {})[name] = value
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    # SGD without momentum has none.
    has_state = any(group.get("momentum", 1) for group in optimizer.param_groups)
    if step and has_state and set(state) != set(range(len(parameters))):
        raise ValueError(f"it has optimiser state of {len(state)} of {len(parameters)} parameters")
    for index, values in state.items():
        parameter = parameters[index]
        for name, value in values.items():
            if not isinstance(value, torch.Tensor) or value.ndim == 0:
                continue
            if value.shape != parameter.shape:
                raise ValueError(f"optimiser state {name} of parameter {index} has another shape")
            # Momentum in another layout than its parameter makes each update three times slower.
            values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value).detach()
    return state


def read_metadata(data: bytes) -> dict[str, str]:
    """The text metadata in a safetensors file. Raises KeyError or ValueError without any."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return dict(header["__metadata__"])
