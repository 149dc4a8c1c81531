from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memseg.data import large, loading
from memseg.data.fingerprints import (
    category_files,
    hash_files,
    test_fingerprint,
    train_fingerprint,
)
from memseg.data.layouts import LayoutConfig, list_category
from memseg.data.loading import load_product
from memseg.data.product import Product
from memseg.errors import DataError
from memseg.storage import open_folder

Make = Callable[..., Any]


def load(root: Path, category: str = "no", **options: Any) -> Product:
    layout = options.pop("layout", LayoutConfig())
    return load_product(open_folder(root), layout, category, 16, **options)


def test_a_category_becomes_arrays(mvtec_root: Path) -> None:
    product = load(mvtec_root)
    assert product.train.shape == (4, 3, 16, 16)
    assert product.test.shape == (2, 3, 16, 16)
    assert product.masks is not None
    assert product.masks.shape == (2, 16, 16)
    assert product.test_labels.tolist() == [False, True]
    assert product.test_defects == ("good", "scratch")
    assert product.masks.any(axis=(1, 2)).tolist() == [False, True]
    assert product.train_names[1] == "no/train/good/001.png"
    assert len({image.tobytes() for image in product.train}) == 4


def test_fingerprints_are_those_of_the_listing(mvtec_root: Path) -> None:
    root = open_folder(mvtec_root)
    files = list_category(root, LayoutConfig(), "01")
    hashes = hash_files(root, category_files(files))
    product = load(mvtec_root, "01")
    assert product.train_fingerprint == train_fingerprint(files, hashes)
    assert product.test_fingerprint == test_fingerprint(files, hashes)
    assert product.train_hashes == tuple(hashes[file.path] for file in files.train)


def test_large_pictures_are_decoded_one_at_a_time(
    mvtec_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most = list[str](), list[int]()

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def decode(data: bytes, name: str, *more: Any) -> Any:
            at_once.append(name)
            most.append(len(at_once))
            found = real(data, name, *more)
            at_once.remove(name)
            return found

        return decode

    whole = load(mvtec_root)
    for name in ("read_image", "read_mask"):
        monkeypatch.setattr(loading, name, watched(getattr(loading, name)))
    monkeypatch.setattr(large, "LARGE_PIXELS", 1)
    product = load(mvtec_root)
    assert len(most) >= 7
    assert max(most) == 1
    for name in ("train", "test", "masks"):
        assert np.array_equal(getattr(product, name), getattr(whole, name))


def test_a_corrupt_image_is_named(mvtec_root: Path) -> None:
    path = mvtec_root / "no/train/good/002.png"
    path.write_bytes(np.random.default_rng(0).bytes(path.stat().st_size))
    with pytest.raises(DataError, match=r"^no/train/good/002\.png is not an image"):
        load(mvtec_root)
    assert load(mvtec_root, "01").train.shape[0] == 4


def test_the_first_of_several_corrupt_files_is_named_with_their_number(mvtec_root: Path) -> None:
    (mvtec_root / "no/train/good/001.png").write_bytes(b"")
    for name in ("no/train/good/003.png", "no/ground_truth/scratch/000_mask.png"):
        data = (mvtec_root / name).read_bytes()
        (mvtec_root / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"good/001\.png is empty .*\(and 2 more files"):
        load(mvtec_root)


def test_a_mask_of_another_size_is_named(mvtec_root: Path, write: Make) -> None:
    write(mvtec_root / "no/ground_truth/scratch/000_mask.png", np.zeros((32, 24), np.uint8))
    with pytest.raises(DataError, match=r"000_mask\.png is 24 x 32 pixels, its image is 32 x 24"):
        load(mvtec_root)


def test_a_mask_of_a_normal_image_must_be_empty(mvtec_root: Path, write: Make) -> None:
    path = mvtec_root / "no/ground_truth/good/000_mask.png"
    mask = np.zeros((24, 32), np.uint8)
    write(path, mask)
    assert load(mvtec_root).masks is not None
    mask[0, 0] = 255  # would vanish from the shrunk mask
    write(path, mask)
    with pytest.raises(DataError, match=r"good/000_mask\.png marks anomalous pixels in the normal"):
        load(mvtec_root)


def test_a_test_set_of_one_class_is_loaded(mvtec_root: Path) -> None:
    (mvtec_root / "no/test/good/000.png").unlink()
    assert load(mvtec_root).test_labels.tolist() == [True]


def test_no_test_set_is_loaded_as_an_empty_one(mvtec_root: Path) -> None:
    for path in ("test/good/000.png", "test/scratch/000.png", "ground_truth/scratch/000_mask.png"):
        (mvtec_root / "no" / path).unlink()
    product = load(mvtec_root)
    assert product.test.shape == (0, 3, 16, 16)
    assert product.test_labels.dtype == np.bool_
    assert product.test_names == ()


def test_own_folders_without_masks_have_none(tmp_path: Path, picture: Make, write: Make) -> None:
    write(tmp_path / "c/ok/1.jpg", picture(seed=1))
    write(tmp_path / "c/bad/2.bmp", picture(seed=2))
    layout = LayoutConfig(kind="folder", normal="ok", abnormal="bad")
    product = load(tmp_path, "c", layout=layout)
    assert product.masks is None
    assert product.test_labels.tolist() == [True]


def test_12_bit_images_are_refused_by_name(mvtec_root: Path, write: Make) -> None:
    dark = np.full((24, 32), 4000, np.uint16)
    write(mvtec_root / "no/train/good/000.png", dark)
    with pytest.raises(DataError, match=r"no/train/good/000\.png has 16 bits"):
        load(mvtec_root)


@pytest.mark.real_data
def test_transistor_is_loaded_whole(real_data: Path) -> None:
    product = load_product(open_folder(real_data / "mvtec_ad"), LayoutConfig(), "transistor", 64)
    assert product.train.shape == (213, 3, 64, 64)
    assert int(product.test_labels.sum()) == 40
    assert product.masks is not None
    assert np.array_equal(product.masks.any(axis=(1, 2)), product.test_labels)
