"""Folders that travel between processes: by address, never with a key or a host."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.fs as pafs
import pytest

from memseg import patience, storage
from memseg.config.encoder import read_encoder_file
from memseg.errors import StorageDownError, StorageError
from memseg.storage import Folder, check_address, open_folder


def again(folder: Folder) -> Folder:
    found = pickle.loads(pickle.dumps(folder))  # noqa: S301  our own bytes
    assert isinstance(found, Folder)
    return found


def test_a_local_folder_is_its_path(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "ws")
    assert folder.location == str(tmp_path / "ws")
    assert again(folder) == folder
    assert open_folder(folder.location) == folder


def test_a_bucket_travels_without_key_and_host(monkeypatch: pytest.MonkeyPatch) -> None:
    filesystem = pafs.S3FileSystem(
        access_key="KEYKEY", secret_key="SECRET", region="us-east-1",
        endpoint_override="store.example:9000",
    )  # fmt: skip
    folder = Folder(filesystem, "bucket/ws")
    assert folder.sub("a").location == "s3://bucket/ws/a"
    data = pickle.dumps(folder)
    for secret in (b"KEYKEY", b"SECRET", b"store.example"):
        assert secret not in data
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # else it asks for the region
    found = again(folder)
    assert found.path == "bucket/ws"
    assert found.filesystem.type_name == "s3"


def test_an_error_names_no_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(self: Path, target: Path) -> Path:
        raise OSError("AWS Error ACCESS_DENIED; Details: store.example:9000 said no")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(StorageError, match="ACCESS_DENIED") as caught:
        open_folder(tmp_path).write("x", b"data")
    assert "example" not in str(caught.value)


def test_settings_in_an_address_are_refused_and_not_repeated() -> None:
    """They would be lost on the way to the workers, and may be signatures."""
    with pytest.raises(StorageError, match="AWS_ENDPOINT_URL") as caught:
        open_folder("s3://bucket/ws?endpoint_override=127.0.0.1:9&X-Amz-Signature=abc")
    assert "s3://bucket/ws:" in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "s3://AKIAX:SECRET@bucket/ws",
        "s3://AKIAX@bucket/SECRET",
        "s3://AKIAX:ab/cdSECRET@bucket/ws",
        "s3://AKIAX:12/cdSECRET@bucket/ws",
        "s3://AKIAX:SECRET/ws",
        "s3://[SECRET/ws",
    ],
)
def test_credentials_in_an_address_are_refused_and_never_repeated(address: str) -> None:
    for opened in (open_folder, read_encoder_file):
        with pytest.raises(StorageError, match="an address") as caught:
            opened(address)
        assert "SECRET" not in str(caught.value)
        assert "AKIAX" not in str(caught.value)


def test_settings_in_an_encoders_address_are_refused() -> None:
    with pytest.raises(StorageError, match="AWS_ENDPOINT_URL") as caught:
        read_encoder_file("s3://bucket/w.pth?secret_key=SECRET")
    assert "SECRET" not in str(caught.value)


def test_a_port_and_a_name_with_an_at_are_no_credentials() -> None:
    for address in (
        "hdfs://store:9000/a@b",
        "hdfs://[::1]/ws",
        "s3://bucket/user@line/ws",
        "/mnt/a:b@c/ws?",
    ):
        assert check_address(address) == address


def test_opening_a_bucket_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of S3 it asks for the bucket's region, over the network."""
    answers: list[OSError | None] = [
        OSError("When resolving region for bucket: curlCode: 6; Details: host.example"), None,
    ]  # fmt: skip

    def from_uri(uri: str) -> tuple[Any, str]:
        answer = answers.pop(0) if answers else None
        if answer is not None:
            raise answer
        return pafs._MockFileSystem(), "bucket/ws"

    waited: list[float] = []
    monkeypatch.setattr(patience.time, "sleep", waited.append)
    monkeypatch.setattr(storage.pafs, "FileSystem", SimpleNamespace(from_uri=from_uri))
    assert open_folder("s3://bucket/ws").path == "bucket/ws"
    assert len(waited) == 1

    answers = [OSError("curlCode: 6; Details: host.example")] * 100
    with pytest.raises(StorageDownError, match="waited 60 s") as caught:
        open_folder("s3://bucket/ws")
    assert "host.example" not in str(caught.value)


def test_what_killed_writes_have_left_goes_and_what_is_written_now_stays(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    old, new, other = (
        ".model.safetensors.123-0a1b2c3d.part", ".model.safetensors.124-0a1b2c3d.part", "x.part",
    )  # fmt: skip
    long_ago = time.time() - 3600
    for name in (old, new, other):
        (tmp_path / name).write_bytes(b"half")
    for name in (old, other):
        os.utime(tmp_path / name, (long_ago, long_ago))
    folder.delete_unfinished()
    assert sorted(f.path for f in folder.files()) == [new, other]


def test_the_name_of_a_half_written_file_is_one_that_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    folder = open_folder(tmp_path)
    monkeypatch.setattr(Path, "replace", killed)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        folder.write("model.safetensors", b"half")
    monkeypatch.undo()
    (left,) = tmp_path.iterdir()
    os.utime(left, (1.0, 1.0))
    folder.delete_unfinished()
    assert not list(tmp_path.iterdir())
