"""What went wrong with a trial, and whether to try again: pure decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from memseg.errors import (
    DataError,
    DeviceError,
    DivergedError,
    MemSegError,
    SettingError,
    StorageError,
    WeightsError,
)

DATA, CONFIGURATION, OUT_OF_MEMORY = "data", "configuration", "out_of_memory"
DEVICE = "device"
LOST, STORAGE, BUG = "lost", "storage", "bug"

BUDGET: Mapping[str, int] = {
    DATA: 0,
    CONFIGURATION: 0,
    DEVICE: 0,
    OUT_OF_MEMORY: 1,
    LOST: 5,
    STORAGE: 2,
    BUG: 0,
}
"""How often a trial is tried *again* in one sweep after a failure of this kind. Data and
configuration fail again for sure; a bug or a missing device is tried again by the next sweep."""


def kind_of(error: BaseException) -> str:
    """The failure kind of an error that the training function saw."""
    if isinstance(error, DataError):
        return DATA
    if isinstance(error, (SettingError, WeightsError, DivergedError)):
        return CONFIGURATION
    if isinstance(error, DeviceError):
        return DEVICE
    if isinstance(error, StorageError):
        return STORAGE
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return OUT_OF_MEMORY
    return CONFIGURATION if isinstance(error, MemSegError) else BUG


def decide(failures: tuple[str, ...]) -> bool:
    """Whether to try again after failures of these kinds. Each kind has its own budget."""
    return all(count <= BUDGET[kind] for kind, count in Counter(failures).items())
