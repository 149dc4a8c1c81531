"""An S3 server on loopback that can be stopped and started again with what it held."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow.fs as pafs
from moto.server import ThreadedMotoServer

BUCKET = "bucket"


class Store:
    """moto keeps objects in this process: they outlive its server."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()
        self._filesystem = pafs.S3FileSystem(
            access_key="test", secret_key="test", region="us-east-1", scheme="http",
            endpoint_override=f"127.0.0.1:{self._port}", allow_bucket_creation=True,
        )  # fmt: skip
        self._filesystem.create_dir(BUCKET)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a sweep's environment needs to find it: nothing of it is in a setting."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
        }

    def upload(self, folder: Path, name: str) -> str:
        """Copies a folder into the bucket; returns its address."""
        pafs.copy_files(
            str(folder), f"{BUCKET}/{name}",
            source_filesystem=pafs.LocalFileSystem(), destination_filesystem=self._filesystem,
        )  # fmt: skip
        return f"s3://{BUCKET}/{name}"

    def stop(self) -> None:
        """Refuses connections from now on."""
        self._server.stop()

    def start(self) -> None:
        """Answers again, at the same port."""
        self._server = ThreadedMotoServer(
            ip_address="127.0.0.1", port=int(self._port), verbose=False
        )
        self._server.start()


@contextmanager
def store() -> Iterator[Store]:
    """A store that ends with the block."""
    made = Store()
    try:
        yield made
    finally:
        made.stop()
