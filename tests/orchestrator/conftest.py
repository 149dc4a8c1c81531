"""Storages that a workspace may lie on: one contract suite runs over all of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
import pytest
from moto.server import ThreadedMotoServer

from memseg.storage import Folder


@pytest.fixture(scope="session")
def s3() -> Iterator[Any]:
    """An S3 that speaks over loopback, with a bucket "bucket"."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    filesystem = pafs.S3FileSystem(
        access_key="test", secret_key="test", region="us-east-1", scheme="http",
        endpoint_override=f"{host}:{port}", allow_bucket_creation=True,
        request_timeout=60, connect_timeout=60,  # pyarrow gives up after 3 s, on a busy machine too
    )  # fmt: skip
    filesystem.create_dir("bucket")
    yield filesystem
    server.stop()


def _open(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    if kind == "local":
        return Folder(pafs.LocalFileSystem(), str(tmp_path / "ws"))
    if kind == "memory":
        return Folder(pafs._MockFileSystem(), "ws")
    return Folder(request.getfixturevalue("s3"), f"bucket/{secrets.token_hex(4)}")


@pytest.fixture(params=["local", "memory", "s3"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """An empty workspace folder on one storage after the other."""
    return _open(request.param, request, tmp_path)


@pytest.fixture(params=["local", "memory"])
def quick_workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """The same without S3, for tests of many cases: a renaming storage and one that is not."""
    return _open(request.param, request, tmp_path)
