"""What went wrong with a trial, and whether to try again: pure decisions."""

from __future__ import annotations

from collections import Counter

from memseg.errors import (
    DataError,
    DeviceError,
    MemSegError,
    StorageError,
    is_out_of_memory,
)
from orchestrator.ledger.kinds import (
    BUG,
    CONFIGURATION,
    DATA,
    DEVICE,
    NODE_LOST,
    OUT_OF_MEMORY,
    STORAGE,
    WORKER_LOST,
    kind,
)


def kind_of(error: BaseException) -> str:
    """The failure kind of an error that the training function saw."""
    if isinstance(error, DataError):
        return DATA
    if isinstance(error, DeviceError):
        return DEVICE
    if isinstance(error, StorageError):
        return STORAGE
    if isinstance(error, MemSegError):
        return CONFIGURATION
    # By name: neither torch nor Ray is imported where decisions are made.
    names = {base.__name__ for base in type(error).__mro__}
    if "OutOfMemoryError" in names or is_out_of_memory(error):
        return OUT_OF_MEMORY
    if names & {"OutOfDiskError", "ObjectStoreFullError"}:
        return STORAGE
    if names & {"ObjectLostError", "NodeDiedError", "RayActorError"}:
        return NODE_LOST  # what it was to train on went with a node, and could not be made again
    # torch's collectives, when another worker of the trial is gone.
    if names & {"DistNetworkError", "DistBackendError"} or "closed by peer" in str(error):
        return WORKER_LOST
    return BUG


def decide(failures: tuple[str, ...]) -> bool:
    """Whether to try again after failures of these kinds. Each kind has its own budget."""
    return all(count <= kind(name).again for name, count in Counter(failures).items())
