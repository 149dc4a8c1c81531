"""Stateless randomness: a generator for every place of a run where something is drawn."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, stream: str, *counters: int) -> np.random.Generator:
    """The random generator of one place, for example ("mask", step, position, attempt).

    A counter-based generator (Philox) whose key is a hash of exactly the arguments: nothing
    is remembered between calls, so a resumed run, another number of workers and another order
    of calls draw the same. Any whole numbers will do, negative and very large ones too.
    """
    numbers = ",".join(str(int(number)) for number in (seed, *counters))
    # The counters are digits and commas only, so no two sets of arguments share a text.
    digest = hashlib.sha256(f"{numbers}:{stream}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
