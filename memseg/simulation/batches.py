"""Which training images a step takes."""

from __future__ import annotations

from memseg.errors import EmptyDataError
from memseg.simulation.randomness import generator


def batch_indices(
    n: int, seed: int, stream: str, step: int, positions: range, *, count: int | None = None
) -> list[int]:
    """Indices below ``n`` of the images at some positions of a step's global batch.

    The images are gone through in epochs, each in another random order, so that every image is
    used once before any is used again. Entry ``step * count + position`` of that endless
    sequence is the answer, without walking through what came before.

    ``count`` is the number of positions in the global batch. Left out, ``positions`` are all of
    them; a worker that has only some must give it. Raises EmptyDataError when ``n`` is 0,
    ValueError when the positions are not those of a batch of ``count``.
    """
    if n < 1:
        raise EmptyDataError("there is no image to train on: add images or lower memory.samples")
    size = len(positions) if count is None else count
    if step < 0 or any(not 0 <= position < size for position in positions):
        raise ValueError(f"step {step}, {positions} are not positions of a batch of {size}")
    orders: dict[int, list[int]] = {}
    chosen = []
    for position in positions:
        epoch, place = divmod(step * size + position, n)
        if epoch not in orders:
            orders[epoch] = generator(seed, f"order of {stream}", epoch).permutation(n).tolist()
        chosen.append(orders[epoch][place])
    return chosen
