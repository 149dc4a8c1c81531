"""Which normal images are held out, which the memory holds, which train: by content and seed.

Pure functions. An image's place in each order depends on its own content and the seed only, so
adding images moves none between held out and the rest, except where the least or most counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from memseg.errors import DataError, SettingError


@dataclass(frozen=True)
class Roles:
    """Indices into ``Product.train``; each image has one role.

    Not each content: of two files with the same bytes one may be in the memory and the other train,
    where its difference is zero.
    """

    held_out: tuple[int, ...]
    """For synthetic validation, ascending."""
    memory: tuple[int, ...]
    """In the memory's own order: memories of different sizes are prefixes of one order."""
    training: tuple[int, ...]
    """Ascending."""


def assign_roles(
    hashes: Sequence[str],
    seed: int,
    memory_samples: int,
    held_out_share: float,
    held_out_least: int,
    held_out_most: int,
    least_training: int,
    category: str,
    memory_most_share: float = 1.0,
) -> Roles:
    """Roles of the normal images whose contents have these hashes.

    Held out is each image whose hash falls below ``held_out_share`` (none for 0), but at least
    ``held_out_least`` and at most ``held_out_most``, and copies of the last one; of the rest the
    first ``memory_samples`` of another order by hash are the memory, but at most
    ``memory_most_share`` of that rest and at least one; what is left trains. Equal contents keep
    the order in which they are given. Raises DataError where fewer than
    ``least_training`` would be left.
    """
    order = _held_out_order(hashes, seed, held_out_share, held_out_least, held_out_most)
    memory = _memory_count(memory_samples, memory_most_share, len(hashes) - len(order))
    _check(len(hashes), len(order), memory, least_training, category)
    held_out = frozenset(order)
    rest = [i for i in range(len(hashes)) if i not in held_out]
    rest.sort(key=lambda i: (_place(seed, "memory", hashes[i]), i))
    return Roles(
        held_out=tuple(sorted(held_out)),
        memory=tuple(rest[:memory]),
        training=tuple(sorted(rest[memory:])),
    )


def check_roles(
    hashes: Sequence[str],
    held_out: int,
    memory_samples: int,
    least_training: int,
    category: str,
    memory_most_share: float = 1.0,
) -> int:
    """How many samples the memory gets. Raises DataError where ``assign_roles`` would.

    ``held_out``: the number that ``count_held_out`` gave. A plan asks this for many memories:
    what is held out is found once for all of them.
    """
    memory = _memory_count(memory_samples, memory_most_share, len(hashes) - held_out)
    _check(len(hashes), held_out, memory, least_training, category)
    return memory


def count_held_out(
    hashes: Sequence[str],
    seed: int,
    held_out_share: float,
    held_out_least: int,
    held_out_most: int,
) -> int:
    """How many images ``assign_roles`` holds out. Raises SettingError where least is above most."""
    return len(_held_out_order(hashes, seed, held_out_share, held_out_least, held_out_most))


def _held_out_order(
    hashes: Sequence[str], seed: int, share: float, least: int, most: int
) -> list[int]:
    """Indices of the images that are held out, the first by hash first."""
    places = [_place(seed, "held out", content) for content in hashes]
    below = sum(place < share for place in places)
    count = _held_out_count(below, share, least, most)
    if not count:
        return []
    order = sorted(range(len(hashes)), key=lambda i: (places[i], i))
    # Copies of one image have one place in the order: a cut among them would hold out an image
    # that is trained on too.
    while count < len(order) and hashes[order[count - 1]] == hashes[order[count]]:
        count += 1
    return order[:count]


def _held_out_count(below: int, share: float, least: int, most: int) -> int:
    if share == 0:
        return 0
    if least > most:
        raise SettingError(
            f"validation.held_out_least ({least}) must not be above validation.held_out_most "
            f"({most})"
        )
    return min(max(below, least), most)


def _memory_count(samples: int, most_share: float, available: int) -> int:
    # Without a limit too few images are an error, not a smaller memory.
    return samples if most_share == 1 else min(samples, max(1, int(most_share * available)))


def _check(n_images: int, held_out: int, memory: int, training: int, category: str) -> None:
    needed = held_out + memory + training
    if n_images < needed:
        raise DataError(
            f"category {category!r} has {n_images} normal images, {needed} are needed: "
            f"{memory} for the memory (memory.samples), {held_out} held out for validation "
            "(validation.held_out_share, held_out_least; copies of one image stay together), and "
            f"at least {training} to train; lower these settings or add normal images"
        )


def _place(seed: int, purpose: str, content: str) -> float:
    """A number in [0, 1), the same for the same arguments everywhere."""
    digest = hashlib.sha256(f"{seed}:{purpose}:{content}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
