"""Folders that travel between processes: by address, never with a key or a host."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from memseg.errors import StorageError
from memseg.storage import Folder, open_folder


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
