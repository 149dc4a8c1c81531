"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, several: str | None = None) -> str:
    """``1 trial``, ``0 trials``, ``2 categories``; ``several``: where it is not ``one`` + s."""
    return f"{number} {one if number == 1 else several or one + 's'}"
