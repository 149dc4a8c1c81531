"""A reporter and a store of checkpoints for runs that nobody watches and nothing interrupts."""

from __future__ import annotations

from collections.abc import Mapping


class SilentReporter:
    """Tells nobody."""

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        """Nothing."""

    def event(self, message: str) -> None:
        """Nothing."""


class NoCheckpoints:
    """Keeps nothing."""

    def load(self) -> bytes | None:
        """Always None."""
        return None

    def save(self, step: int, data: bytes) -> None:
        """Nothing."""

    def discard(self) -> None:
        """Nothing."""
