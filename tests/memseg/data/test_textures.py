from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memseg.data.textures import (
    PROCEDURAL_TEXTURES,
    load_textures,
    procedural_textures,
    texture_identity,
)
from memseg.errors import DataError, EmptyDataError
from memseg.storage import open_folder

Make = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, picture: Make, write: Make) -> Path:
    """Three textures at different depths."""
    for i, name in enumerate(("a.jpg", "stripes/fine/b.png", "stripes/c.PNG".lower())):
        write(tmp_path / "textures" / name, picture(seed=i))
    (tmp_path / "textures/readme.md").write_text("hello")
    return tmp_path / "textures"


def test_textures_are_loaded_from_any_depth(folder: Path) -> None:
    textures = load_textures(open_folder(folder), 32)
    assert textures.shape == (3, 3, 32, 32)
    assert textures.dtype == np.uint8
    assert np.array_equal(textures, load_textures(open_folder(folder), 32))


def test_a_corrupt_texture_is_named(folder: Path) -> None:
    path = folder / "stripes/fine/b.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"stripes/fine/b\.png is truncated"):
        load_textures(open_folder(folder), 32)


def test_a_folder_without_textures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyDataError, match="holds no images"):
        load_textures(open_folder(tmp_path), 32)


def test_the_identity_follows_the_content(folder: Path) -> None:
    first = texture_identity(open_folder(folder))
    assert first.startswith("sha256:")
    assert len(first) == 71
    (folder / "a.jpg").unlink()
    assert texture_identity(open_folder(folder)) != first
    assert texture_identity(None) == PROCEDURAL_TEXTURES == "procedural:1"


def test_drawn_textures_are_many_and_different() -> None:
    textures = load_textures(None, 64)
    assert textures.shape == (64, 3, 64, 64)
    assert len({texture.tobytes() for texture in textures}) == 64
    assert (textures.reshape(64, -1).std(axis=1) > 4).all()


def test_drawn_textures_are_the_same_each_time() -> None:
    # The means to a grey level: another CPU may round sines otherwise.
    assert np.array_equal(procedural_textures(64), procedural_textures(64))
    means = procedural_textures(64).reshape(8, -1).mean(axis=1)
    assert np.allclose(means, MEANS, atol=1)


def test_drawn_textures_leave_the_global_generator_alone() -> None:
    state = hashlib.sha256(repr(np.random.get_state()).encode()).hexdigest()
    procedural_textures(64)
    assert hashlib.sha256(repr(np.random.get_state()).encode()).hexdigest() == state


MEANS = [126, 134, 132, 116, 99, 135, 128, 98]
