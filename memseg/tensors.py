"""Tensors over memory that belongs to somebody else."""

from __future__ import annotations

import warnings
from typing import Any

import numpy.typing as npt
import torch


def tensor_over(array: npt.NDArray[Any]) -> torch.Tensor:
    """A CPU tensor in the array's own memory, which nobody must write to.

    What all trials of a machine share is read-only, and torch warns of that. A copy for each trial
    would be 1 GiB, with DTD's textures at 256 pixels.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)
