from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from memseg.errors import StorageError
from memseg.storage import Folder, open_folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "store")


def all_names(folder: Folder) -> list[str]:
    return sorted(os.listdir(folder.path))


def test_what_is_written_is_read(folder: Folder) -> None:
    assert not folder.exists()
    folder.write("a/b/c.bin", b"\x00\xffdata")
    assert folder.read("a/b/c.bin") == b"\x00\xffdata"
    assert folder.sub("a").read("b/c.bin") == b"\x00\xffdata"
    assert folder.exists("a/b/c.bin")
    assert folder.is_folder("a/b")
    assert not folder.is_folder("a/b/c.bin")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failure_while_writing_leaves_the_old_file(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    folder.write("x.json", b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    monkeypatch.setattr(Path, "replace", fail if call == "replace" else Path.replace)
    with pytest.raises(StorageError, match=r"cannot write .*x\.json.*No space left"):
        folder.write("x.json", b"new and longer")
    assert folder.read("x.json") == b"old"
    assert all_names(folder) == ["x.json"]


def test_an_interruption_while_writing_leaves_the_old_file(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("x.json", b"old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        folder.write("x.json", b"new")
    assert folder.read("x.json") == b"old"
    assert all_names(folder) == ["x.json"]


def test_the_new_content_is_on_the_disk_before_it_gets_its_name(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("x", b"old")
    seen: list[bytes] = []
    original = os.fsync

    def spy(descriptor: int) -> None:
        original(descriptor)
        seen.append(folder.read("x"))

    monkeypatch.setattr(os, "fsync", spy)
    folder.write("x", b"new")
    assert seen[0] == b"old"
    assert folder.read("x") == b"new"


def test_a_reader_never_sees_half_a_file(folder: Folder) -> None:
    contents = [bytes([value]) * 200_000 for value in range(2)]
    folder.write("x", contents[0])
    done = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(folder.read("x"))

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(30):
        folder.write("x", contents[i % 2])
    done.set()
    reader.join()
    assert seen
    assert seen <= set(contents)


def test_json_is_the_same_for_equal_values(folder: Folder) -> None:
    folder.write_json("a.json", {"b": 1, "a": [1.5, None, "ä"]})
    folder.write_json("b.json", {"a": [1.5, None, "ä"], "b": 1})
    assert folder.read("a.json") == folder.read("b.json")
    assert folder.read_json("a.json") == {"a": [1.5, None, "ä"], "b": 1}
    assert folder.read_json("absent.json") is None
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.write_json("c.json", float("nan"))
    folder.write("d.json", b'{"half": ')
    with pytest.raises(StorageError, match=r"d\.json is not JSON"):
        folder.read_json("d.json")


def test_files_and_folders_are_listed_sorted(folder: Folder) -> None:
    for path in ("b/2.txt", "b/1.txt", "a/x/3.txt", "0.txt"):
        folder.write(path, b"abc")
    assert folder.folders() == ["a", "b"]
    assert [f.path for f in folder.files("b")] == ["b/1.txt", "b/2.txt"]
    assert [f.path for f in folder.files(recursive=True)] == [
        "0.txt", "a/x/3.txt", "b/1.txt", "b/2.txt",
    ]  # fmt: skip
    info = folder.files()[0]
    assert (info.path, info.size) == ("0.txt", 3)
    assert info.mtime_ns > 0
    assert folder.files("nowhere") == []
    assert folder.folders("nowhere") == []


def test_deleting_twice_is_deleting_once(folder: Folder) -> None:
    folder.write("a/b.txt", b"")
    for _ in range(2):
        folder.delete("a/b.txt")
    assert not folder.exists("a/b.txt")
    for _ in range(2):
        folder.delete_folder("a")
    assert not folder.exists("a")


def test_a_missing_file_is_named(folder: Folder) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*store/none\.txt"):
        folder.read("none.txt")


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="file is a file, a folder is needed"):
        open_folder(tmp_path / "file")
    folder = open_folder(tmp_path)
    with pytest.raises(StorageError, match="cannot write"):
        folder.write("file/below.txt", b"x")


def test_an_unknown_kind_of_location_is_an_error() -> None:
    with pytest.raises(StorageError, match="cannot open nonsense://x"):
        open_folder("nonsense://x")


def test_relative_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = open_folder("here")
    monkeypatch.chdir("/")
    assert folder.path == str(tmp_path / "here")


def test_a_file_is_made_only_where_there_is_none(folder: Folder) -> None:
    assert folder.create("a/claim", b"first")
    assert not folder.create("a/claim", b"second")
    assert folder.read("a/claim") == b"first"


class Uploads:
    """An object store whose upload is interrupted by a signal when it has begun."""

    type_name = "s3"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    @contextlib.contextmanager
    def open_output_stream(self, path: str, compression: None) -> Iterator[io.BytesIO]:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGUSR1)
        stream = io.BytesIO()
        try:
            yield stream
        finally:  # as pyarrow does: what is there is uploaded, whatever ended the block
            self.objects[path] = stream.getvalue()


def test_an_interrupted_upload_is_whole_and_needs_no_folder_above_it() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    store = Uploads()
    # Not SIGINT: whoever runs the tests may have it ignored.
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            Folder(store, "bucket/ws").write("aliases.json", b"champion")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert store.objects == {"bucket/ws/aliases.json": b"champion"}
