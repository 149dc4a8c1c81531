"""Whether stored tensors fit a network, said by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch

_NAMED = 3


def misfits(
    state: Mapping[str, torch.Tensor],
    wanted: Mapping[str, torch.Tensor],
    may_be_missing: Collection[str] = (),
) -> str:
    """What of ``state`` does not fit ``wanted``, for an error message; "" where all does.

    Names the first tensors that are missing, unexpected, of another shape or kind of number, or
    hold values that are not finite.
    """
    common = [name for name in wanted if name in state]
    found = (
        (
            [name for name in wanted if name not in state and name not in may_be_missing],
            "missing",
        ),
        ([name for name in state if name not in wanted], "unexpected"),
        (
            [
                f"{name} is {_shape(state[name])}, not {_shape(wanted[name])}"
                for name in common
                if state[name].shape != wanted[name].shape
            ],
            "of another shape",
        ),
        (
            [
                f"{name} is {state[name].dtype}, not {wanted[name].dtype}"
                for name in common
                if state[name].is_floating_point() != wanted[name].is_floating_point()
            ],
            "of another type",
        ),
        (
            [name for name in common if not bool(state[name].isfinite().all())],
            "with values that are not finite",
        ),
    )
    return "; ".join(
        f"{len(names)} {word}: {', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''}"
        for names, word in found
        if names
    )


def _shape(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
