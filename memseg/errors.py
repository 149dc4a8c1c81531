"""What can go wrong, as a tree.

    MemSegError
    ├── SettingError     a setting is unknown, of the wrong type or out of its range
    ├── DataError        an image, a mask or a folder cannot be used
    │   └── EmptyDataError   something that is needed is not there at all
    ├── WeightsError     encoder or model weights do not fit the network
    ├── DeviceError      the device that was asked for is not here
    ├── DivergedError    a training run's loss is no longer finite
    ├── StorageError     a workspace or data location cannot be read or written
    │   ├── StorageDownError     it does not answer any more, or is full
    │   └── BlindNodeError       a node of a cluster does not see what the others see
    ├── StoppedError     what a run is carried out by has ended under it
    ├── RegistryError    a model in the registry is incomplete or was changed
    └── ExportError      an exported file cannot be used, or does not compute what its model does

Each message is one or two sentences for the person who reads it at night: what was
wrong, where, the limit, and what to do. All of them survive pickling, because Ray moves
them between processes, so they take the message and nothing else.
"""


class MemSegError(Exception):
    """An error with a message for people; never a defect of this program."""


class SettingError(MemSegError):
    """A setting is unknown, of the wrong type or out of its range."""


class DataError(MemSegError):
    """An image, a mask or a folder cannot be used; the message names it."""


class EmptyDataError(DataError):
    """Images that are needed are not there at all."""


class WeightsError(MemSegError):
    """Encoder or model weights do not fit the network."""


class DeviceError(MemSegError):
    """The device that was asked for is not on this machine."""


class DivergedError(MemSegError):
    """A training run's loss is no longer finite."""


class StorageError(MemSegError):
    """A workspace or data location cannot be read or written."""


class StorageDownError(StorageError):
    """A storage does not answer although it was waited for, or is full: a sweep cannot go on."""


class BlindNodeError(StorageError):
    """A node of a cluster does not see the workspace, which the others see."""


class StoppedError(MemSegError):
    """What a run is carried out by, Ray for one, has ended under it: the same command goes on."""


class RegistryError(MemSegError):
    """A model in the registry is incomplete or was changed since it was published."""


class ExportError(MemSegError):
    """An exported file cannot be used, or does not compute what its model does."""


_NO_MEMORY = (
    "not enough memory", "out of memory", "can't allocate memory", "cannot allocate memory",
    "failed to allocate memory", "bad allocation", "bad_alloc",
)  # fmt: skip


def is_out_of_memory(error: BaseException) -> bool:
    """Whether there was no memory for it; PyTorch and onnxruntime say so in words."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY)
