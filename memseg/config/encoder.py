"""Which encoder weights a setting means, by content. Without torch."""

from __future__ import annotations

import hashlib

from memseg.errors import StorageError
from memseg.storage import check_address, open_folder, split_location

IMAGENET, RANDOM = "imagenet", "random"
IMAGENET_IDENTITY = "imagenet:f37072fd"
"""The hash is part of torchvision's file name, resnet18-f37072fd.pth, and checked on download."""


def read_encoder_file(source: str) -> bytes:
    """The bytes of a weights file, a path or a URI. Raises StorageError."""
    above, name = split_location(check_address(source))
    try:
        return open_folder(above).read(name)
    except StorageError as error:
        raise StorageError(
            f"encoder_weights {source}: the file cannot be read ({error}); give imagenet, random "
            "or a file of ResNet18 weights"
        ) from error


def encoder_identity(source: str) -> str:
    """What a trial's key holds: "imagenet:<hash>", "random", or "sha256:<hex>" of a file.

    Raises StorageError for a file that cannot be read.
    """
    if source == IMAGENET:
        return IMAGENET_IDENTITY
    if source == RANDOM:
        return RANDOM
    return "sha256:" + hashlib.sha256(read_encoder_file(source)).hexdigest()
