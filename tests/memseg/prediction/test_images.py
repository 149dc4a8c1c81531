"""What is an image, and what becomes of one that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from memseg.data import large
from memseg.data.decoding import decode_image
from memseg.errors import EmptyDataError, StorageDownError, StorageError
from memseg.prediction import images as room
from memseg.prediction.images import Picture, Unreadable, find_images, read_pictures
from memseg.storage import FileInfo, Folder, open_folder

SIDE = 64


def encoded(image: np.ndarray, ending: str = ".png") -> bytes:
    done, data = cv2.imencode(ending, image)
    assert done
    return bytes(data.tobytes())


def noise(*shape: int, dtype: Any = np.uint8, high: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(0, high, shape).astype(dtype)


def read(folder: Path, threads: int = 2, most: int = 4) -> dict[str, Picture | Unreadable]:
    found = read_pictures(find_images(str(folder)), SIDE, threads, most)
    return {one.file: one for one in found}


def test_pictures_of_every_kind_are_what_training_would_see(tmp_path: Path) -> None:
    files = {
        "alpha.png": encoded(noise(40, 50, 4)),
        "grey.png": encoded(noise(70, 30)),
        "long.jpg": encoded(noise(8, 200, 3), ".jpg"),
        "small.bmp": encoded(noise(5, 7, 3), ".bmp"),
        "sub/sixteen.tif": encoded(noise(90, 90, 3, dtype=np.uint16, high=65536), ".tif"),
        "tiny.webp": encoded(noise(1, 1, 3), ".webp"),
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    found = read(tmp_path)
    assert list(found) == sorted(files)
    for name, data in files.items():
        one = found[name]
        assert isinstance(one, Picture), one
        assert np.array_equal(one.pixels, decode_image(data, name, SIDE))
    sizes = {name: (one.width, one.height) for name, one in found.items()}  # type: ignore[union-attr]
    assert sizes["long.jpg"] == (200, 8)
    assert sizes["grey.png"] == (30, 70)


def cmyk_jpeg() -> bytes:
    data = bytearray(encoded(noise(16, 16, 3), ".jpg"))
    start = data.index(b"\xff\xc0")
    data[start + 9] = 4  # components
    return bytes(data)


BAD = {
    "broken.png": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "broken.png"),
    "cmyk.jpg": (cmyk_jpeg(), "cmyk.jpg"),
    "cut.jpg": (encoded(noise(64, 64, 3), ".jpg")[:900], "truncated"),
    "empty.png": (b"", "empty"),
    "film.gif": (b"GIF89a" + b"\x00" * 40, "not an image that can be read"),
    "huge.png": (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
        + (60000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00" + b"\x00" * 4,
        "huge.png",
    ),
    "text.png": (b"not a picture at all", "not an image that can be read"),
    "twelve.png": (encoded(noise(9, 9, 3, dtype=np.uint16, high=4000)), "12 bits"),
}  # fmt: skip


def test_what_cannot_be_read_is_said_by_name_and_the_rest_goes_on(tmp_path: Path) -> None:
    for name, (data, _) in BAD.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "whole.png").write_bytes(encoded(noise(20, 20, 3)))
    found = read(tmp_path)
    for name, (_, words) in BAD.items():
        one = found[name]
        assert isinstance(one, Unreadable), name
        assert name in one.error
        assert words in one.error
    assert isinstance(found["whole.png"], Picture)


def test_a_file_that_is_gone_or_too_large_is_an_error_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded(noise(20, 20, 3)))
    source = find_images(str(tmp_path))
    (tmp_path / "a.png").unlink()
    gone, whole = read_pictures(source, SIDE, 1, 2)
    assert isinstance(gone, Unreadable)
    assert "a.png" in gone.error
    assert isinstance(whole, Picture)
    monkeypatch.setattr(room, "LARGEST_FILE", 100)
    (large,) = read(tmp_path).values()
    assert isinstance(large, Unreadable)
    assert "more than the limit" in large.error


def test_large_pictures_are_decoded_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most = [], []
    real = room.read_image

    def watched(data: bytes, name: str) -> Any:
        at_once.append(name)
        most.append(len(at_once))
        image = real(data, name)
        at_once.remove(name)
        return image

    monkeypatch.setattr(room, "read_image", watched)
    monkeypatch.setattr(large, "LARGE_PIXELS", 1000)
    for i in range(12):
        (tmp_path / f"{i:02}.png").write_bytes(encoded(noise(300, 300, 3)))
    assert all(isinstance(one, Picture) for one in read(tmp_path, threads=4).values())
    assert max(most) == 1


def test_a_picture_without_room_in_memory_is_one_files_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = room.read_image

    def full(data: bytes, name: str) -> Any:
        if name == "a.png":
            raise MemoryError("no memory to decode an image")
        return real(data, name)

    monkeypatch.setattr(room, "read_image", full)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded(noise(20, 20, 3)))
    found = read(tmp_path)
    assert isinstance(found["b.png"], Picture)
    assert isinstance(found["a.png"], Unreadable)
    assert found["a.png"].error == "a.png: there is no memory to decode it: save it smaller"


def test_a_storage_that_is_gone_is_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise(20, 20, 3)))
    source = find_images(str(tmp_path))

    def down(self: Folder, relative: str = "") -> bytes:
        raise StorageDownError("it does not answer")

    monkeypatch.setattr(Folder, "read", down)
    monkeypatch.setattr(Folder, "exists", down)
    with pytest.raises(StorageDownError):
        list(read_pictures(source, SIDE, 1, 2))


@pytest.mark.parametrize(("bad", "ends"), [(1, False), (3, False), (4, True)])
def test_a_bad_place_on_a_disk_is_not_the_end_but_many_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: int, ends: bool
) -> None:
    for i in range(6):
        (tmp_path / f"{i}.png").write_bytes(encoded(noise(20, 20, 3)))
    source = find_images(str(tmp_path))
    real = Folder.read

    def read(self: Folder, relative: str) -> bytes:
        if int(relative[0]) < bad:
            raise StorageDownError("Input/output error")
        return real(self, relative)

    monkeypatch.setattr(Folder, "read", read)
    if ends:
        with pytest.raises(StorageDownError):
            list(read_pictures(source, SIDE, 1, 2))
        return
    found = list(read_pictures(source, SIDE, 1, 2))
    assert [isinstance(one, Picture) for one in found] == [False] * bad + [True] * (6 - bad)


def test_hidden_files_and_notes_are_passed_over_and_order_is_by_path(tmp_path: Path) -> None:
    names = ("b/2.png", "a.png", "b/1.JPG", "notes.txt", ".hidden/3.png", ".4.png", "b/Thumbs.db")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [f.path for f in find_images(str(tmp_path)).files] == ["a.png", "b/1.JPG", "b/2.png"]


def test_one_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one.png", "two.png"):
        (tmp_path / name).write_bytes(encoded(noise(20, 20, 3)))
    source = find_images(str(tmp_path / "one.png"))
    assert [f.path for f in source.files] == ["one.png"]
    assert source.single
    monkeypatch.chdir(tmp_path)
    assert find_images("two.png").files[0].path == "two.png"
    assert len(find_images(".").files) == 2


@pytest.mark.parametrize("made", [False, True])
def test_no_image_is_an_error_that_says_what_is_looked_for(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "photos"
    if made:
        folder.mkdir()
        (folder / "notes.txt").write_text("none")
    with pytest.raises(EmptyDataError, match="no image in .*png" if made else "no such folder"):
        find_images(str(folder))


def test_an_unknown_address_is_an_error() -> None:
    with pytest.raises((StorageError, EmptyDataError)):
        find_images("nothing://at/all")


def test_a_name_that_is_not_utf_8_is_said(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.png")
    (tmp_path / odd).write_bytes(b"x")
    with pytest.raises(StorageError, match=r"name that is not UTF-8 .*caf\\xe9\.png"):
        find_images(str(tmp_path))
    with pytest.raises(StorageError, match="is not UTF-8"):
        find_images(str(tmp_path / odd))
    (tmp_path / "fine.png").write_bytes(b"yes")
    assert [f.size for f in find_images(str(tmp_path / "fine.png")).files] == [3]
    (tmp_path / odd).unlink()
    (tmp_path / odd).mkdir()
    with pytest.raises(StorageError, match=r"name that is not UTF-8 .*caf\\xe9\.png"):
        open_folder(tmp_path).folders()


def test_files_are_listed_not_held() -> None:
    assert set(vars(room.Source(open_folder("."), (FileInfo("a", 1, 0),)))) == {
        "folder", "files", "single",
    }  # fmt: skip
