"""How a training run tells what it does and keeps what it has: two small protocols."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class Reporter(Protocol):
    """Told about progress; may stop the run by raising."""

    def progress(self, step: int, values: Mapping[str, float]) -> None:
        """After ``step`` of the run's steps; loss terms and seconds per step."""

    def event(self, message: str) -> None:
        """Something a person should know: resumed, checkpoint unreadable."""


class CheckpointStore(Protocol):
    """Keeps the newest checkpoint of one run."""

    def load(self) -> bytes | None:
        """The newest checkpoint, None where there is none."""

    def save(self, step: int, data: bytes) -> None:
        """Keeps a checkpoint; afterwards older ones may be gone."""

    def discard(self) -> None:
        """Deletes all checkpoints: none of them counts."""


class Gate(Protocol):
    """Looks at a run at some of its steps and may end it there."""

    @property
    def steps(self) -> Collection[int]:
        """After which steps the run is looked at."""

    def passes(self, step: int) -> bool:
        """Whether the run goes on; it may use the network, which is trained on afterwards."""


class Judge(Protocol):
    """Looks at a run at some of its steps, and changes nothing."""

    @property
    def steps(self) -> Collection[int]:
        """After which steps the run is looked at."""

    def look(self, step: int) -> None:
        """May use the network, which is trained on afterwards."""
