"""Checkpoints: weights, BatchNorm statistics, optimiser state and the step, as safetensors.

Randomness is stateless (memseg.simulation.randomness), so this is everything: a run resumed
from a checkpoint ends in the same bits as one that was not interrupted.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from memseg.errors import StorageError

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
        network.load_state_dict(
            {n.removeprefix(_NETWORK): v for n, v in tensors.items() if n.startswith(_NETWORK)}
        )
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise StorageError(f"a checkpoint cannot be used: {error}") from error
    state: dict[int, dict[str, Any]] = {}
    for key, value in {**tensors, **scalars}.items():
        if key.startswith(_OPTIMIZER):
            index, name = key.removeprefix(_OPTIMIZER).split(".", 1)
            state.setdefault(int(index), {})[name] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
    return step


def read_metadata(data: bytes) -> dict[str, str]:
    """The text metadata in a safetensors file. Raises KeyError or ValueError without any."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return dict(header["__metadata__"])
