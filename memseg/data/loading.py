"""A category's files to a ``Product``, decoded once."""

from __future__ import annotations

import numpy as np

from memseg.data.decoding import read_image, read_mask, resize_image, resize_mask
from memseg.data.fingerprints import sha256, test_fingerprint, train_fingerprint
from memseg.data.large import room_for
from memseg.data.layouts import LayoutConfig, list_category
from memseg.data.licence import find_licence
from memseg.data.parallel import for_each
from memseg.data.product import Product
from memseg.errors import DataError
from memseg.storage import FileInfo, Folder


def load_product(root: Folder, layout: LayoutConfig, category: str, size: int) -> Product:
    """One category at ``size`` pixels, with fingerprints of exactly the bytes that were decoded.

    Each file is read once. Raises DataError that names the first file that cannot be used (and how
    many more), and whatever ``list_category`` raises.
    """
    files = list_category(root, layout, category)
    hashes: dict[str, str] = {}
    train = np.empty((len(files.train), 3, size, size), np.uint8)
    test = np.empty((len(files.test), 3, size, size), np.uint8)
    masks = np.zeros((len(files.test), size, size), np.bool_)

    def read(file: FileInfo) -> bytes:
        data = root.read(file.path)
        hashes[file.path] = sha256(data)
        return data

    def load_train(index: int) -> None:
        file = files.train[index]
        data = read(file)
        with room_for(data):
            train[index] = resize_image(read_image(data, file.path), size)

    def load_test(index: int) -> None:
        file = files.test[index]
        data = read(file.image)
        with room_for(data):
            image = read_image(data, file.image.path)
            test[index] = resize_image(image, size)
            shape = (image.shape[0], image.shape[1])
            del image
        if file.mask is None:
            return
        marks = read(file.mask)
        with room_for(marks):
            mask = read_mask(marks, file.mask.path, shape)
        if not file.anomalous and mask.any():
            raise DataError(
                f"mask {file.mask.path} marks anomalous pixels in the normal image "
                f"{file.image.path}: empty or remove it, or move the image"
            )
        masks[index] = resize_mask(mask, size)

    work = [(load_train, i) for i in range(len(train))] + [(load_test, i) for i in range(len(test))]
    for_each(lambda item: item[0](item[1]), work)
    return Product(
        category=category,
        train=train,
        train_names=tuple(file.path for file in files.train),
        train_hashes=tuple(hashes[file.path] for file in files.train),
        test=test,
        test_names=tuple(file.image.path for file in files.test),
        test_defects=tuple(file.defect for file in files.test),
        test_labels=np.array([file.anomalous for file in files.test], np.bool_),
        masks=masks if files.has_masks else None,
        train_fingerprint=train_fingerprint(files, hashes),
        test_fingerprint=test_fingerprint(files, hashes),
        licence=find_licence(root, category),
    )
