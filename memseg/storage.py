"""Folders that are read and written through pyarrow.fs: a local path, NFS, s3://, gs://.

Nothing here relies on rename or create-if-absent of an object store. A local file is written
beside and renamed, an object is put whole: a reader sees the old file or the new.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pyarrow.fs as pafs

from memseg.errors import StorageDownError, StorageError
from memseg.patience import PATIENCE_S, is_passing, patiently

T = TypeVar("T")


_SCHEMES = {"s3": "s3://", "gcs": "gs://", "abfs": "abfs://"}
"""Object stores of pyarrow that an address and the environment are enough for."""


_UNFINISHED = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.part")
_WRITTEN_S = 600
"""A file that is written changes within this time."""


@dataclass(frozen=True)
class FileInfo:
    """One file below a folder."""

    path: str
    """Relative to the folder, with forward slashes."""
    size: int
    """Bytes."""
    mtime_ns: int
    """Time of last change in nanoseconds; 0 where the store has none."""


def _tried(action: str, where: str, operation: Callable[[], T]) -> T:
    """The operation's value, with patience for errors that pass.

    Raises StorageDownError when patience is used up, the disk is full or read-only, else
    StorageError.
    """
    try:
        return patiently(operation)
    except OSError as error:
        # Details name the host of an object store.
        said = f"cannot {action} {where}: {str(error).partition('; Details:')[0]}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageDownError(f"{said}; make room and run the same command again") from error
        if error.errno == errno.EROFS:  # what a disk error makes of a mount, in the middle too
            hint = "make it writable and run the same command again"
            raise StorageDownError(f"{said}; {hint}") from error
        if is_passing(error):
            waited = f"{said}; waited {PATIENCE_S:.0f} s for it"
            raise StorageDownError(waited) from error
        raise StorageError(said) from error


@dataclass(frozen=True)
class Folder:
    """A folder on any file system of pyarrow; paths given to it are relative, with slashes."""

    filesystem: pafs.FileSystem
    path: str
    """Absolute on a local file system, bucket/prefix on an object store."""

    @property
    def location(self) -> str:
        """What ``open_folder`` makes this folder from, without host and credentials."""
        return f"{_SCHEMES.get(self.filesystem.type_name, '')}{self.path}"

    def __reduce__(self) -> Any:
        # Another process opens an object store by its address, with what its own environment
        # says: neither key nor host travels through Ray, nor into the files that Ray keeps.
        if self.filesystem.type_name in _SCHEMES:
            return _reopened, (self.location,)
        return Folder, (self.filesystem, self.path)

    @property
    def is_local(self) -> bool:
        """True where files can be opened by path (a disk, NFS)."""
        return isinstance(self.filesystem, pafs.LocalFileSystem)

    def at(self, relative: str) -> str:
        """The file system's own path of something below the folder."""
        return f"{self.path}/{relative}" if relative else self.path

    def sub(self, relative: str) -> Folder:
        """A folder below this one; it need not exist."""
        return Folder(self.filesystem, self.at(relative))

    def exists(self, relative: str = "") -> bool:
        """Whether a file or folder is there."""
        return bool(self._info(relative).type != pafs.FileType.NotFound)

    def is_folder(self, relative: str = "") -> bool:
        """Whether it is there and a folder."""
        return _is_folder(self._info(relative))

    def size(self, relative: str) -> int:
        """Bytes of a file; 0 where there is none, or the store does not say."""
        return int(self._info(relative).size or 0)

    def _info(self, relative: str) -> Any:
        path = self.at(relative)
        return _tried("look at", path, lambda: self.filesystem.get_file_info(path))

    def folders(self, relative: str = "") -> list[str]:
        """Names of the folders directly below, sorted; [] where there is no such folder."""
        found = self._infos(relative, False)
        with _names_said(self.at(relative)):
            return sorted(i.base_name for i in found if _is_folder(i))

    def files(self, relative: str = "", *, recursive: bool = False) -> list[FileInfo]:
        """Files below, sorted by path, relative to this folder; [] where there is none."""
        prefix = len(self.path) + 1
        infos = self._infos(relative, recursive)
        with _names_said(self.at(relative)):
            found = [
                FileInfo(i.path[prefix:], i.size or 0, _mtime(i))
                for i in infos
                if not _is_folder(i)
            ]
        return sorted(found, key=lambda f: f.path)

    def _infos(self, relative: str, recursive: bool) -> list[Any]:
        selector = pafs.FileSelector(self.at(relative), recursive=recursive, allow_not_found=True)
        return _tried(
            "list", self.at(relative), lambda: list(self.filesystem.get_file_info(selector))
        )

    def read(self, relative: str) -> bytes:
        """A file's bytes. Raises StorageError."""
        path = self.at(relative)

        def read() -> bytes:
            with self.filesystem.open_input_stream(path, compression=None) as stream:
                return bytes(stream.read())

        return _tried("read", path, read)

    def read_json(self, relative: str) -> Any:
        """A JSON file's value, None where there is no such file. Raises StorageError."""
        if not self.exists(relative):
            return None
        try:
            return json.loads(self.read(relative))
        except ValueError as error:
            raise StorageError(f"{self.at(relative)} is not JSON: {error}") from error

    def write(self, relative: str, data: bytes) -> None:
        """Writes a whole file: a reader sees the old one or the new. Makes folders as needed."""
        path = self.at(relative)

        def put() -> None:
            # An object store has no folders: making them would ask for rights above the prefix.
            if self.filesystem.type_name not in _SCHEMES:
                self.filesystem.create_dir(path.rpartition("/")[0], recursive=True)
            with self.filesystem.open_output_stream(path, compression=None) as stream:
                stream.write(data)

        def put_whole() -> None:
            # Closing a stream that a signal interrupted would upload what is there, and that may
            # be nothing. Signals do not reach this thread, and leaving the block waits for it.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(put).result()

        local = functools.partial(_write_local, Path(path), data)
        _tried("write", path, local if self.is_local else put_whole)

    def create(self, relative: str, data: bytes) -> bool:
        """Makes a file where ``is_local``, unless it is there, in one step: whether it did."""
        path = Path(self.at(relative))

        def make() -> bool:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                return False
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(data)
            except OSError:
                path.unlink(missing_ok=True)
                raise
            return True

        return _tried("write", str(path), make)

    def write_json(self, relative: str, value: Any) -> None:
        """Writes JSON with sorted keys: equal values give equal bytes."""
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        self.write(relative, (text + "\n").encode())

    def append(self, relative: str, data: bytes) -> None:
        """Adds to the end of a file where ``is_local``, in one piece; makes it where it is not.

        No object store can do that. Writers may append at the same time.
        """
        path = Path(self.at(relative))

        def add() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab", buffering=0) as stream:
                stream.write(data)

        _tried("append to", str(path), add)

    def delete(self, relative: str) -> None:
        """Deletes a file; nothing happens where there is none."""
        if not self.exists(relative):
            return
        self._delete(relative, self.filesystem.delete_file)

    def delete_folder(self, relative: str) -> None:
        """Deletes a folder with all below it; nothing happens where there is none."""
        if not self.exists(relative):
            return
        self._delete(relative, self.filesystem.delete_dir)

    def delete_unfinished(self) -> None:
        """Deletes what killed writes have left directly in this folder, on a disk or NFS.

        Only after minutes without a change: somebody may be writing.
        """
        if not self.is_local:
            return
        ended = time.time_ns() - _WRITTEN_S * 10**9
        for file in self.files():
            if _UNFINISHED.fullmatch(file.path) and file.mtime_ns < ended:
                self.delete(file.path)

    def _delete(self, relative: str, delete: Callable[[str], None]) -> None:
        def operation() -> None:
            # Somebody else may have deleted it between the question and the answer.
            with contextlib.suppress(FileNotFoundError):
                delete(self.at(relative))

        _tried("delete", self.at(relative), operation)


@contextlib.contextmanager
def _names_said(where: str) -> Iterator[None]:
    """pyarrow decodes a name when it is asked for, and takes none that is not UTF-8."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise StorageError(
            f"a file or folder below {where} has a name that is not UTF-8 ({error.object!r}): "
            "rename it"
        ) from error


def _is_folder(info: Any) -> bool:
    return bool(info.type == pafs.FileType.Directory)


def _mtime(info: Any) -> int:
    return int(info.mtime_ns or 0)


def _write_local(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _reopened(location: str) -> Folder:
    filesystem, path = _tried("open", location, lambda: pafs.FileSystem.from_uri(location))
    return Folder(filesystem, path.rstrip("/"))


def check_text(location: str) -> str:
    """The location itself. Raises StorageError for a name that is not UTF-8: pyarrow takes none."""
    try:
        location.encode()
    except UnicodeEncodeError as error:
        raise StorageError(f"{location!r} is not UTF-8: rename the file or folder") from error
    return location


def check_address(location: str) -> str:
    """The path or URI itself. Raises StorageError, which does not repeat what may be secret."""
    text = check_text(location)
    if "://" not in text:
        return text
    try:
        place = urlsplit(text)
    except ValueError as error:
        raise StorageError("an address has a [ that is no IPv6 address") from error
    # A secret may hold a slash, and then the @ behind it is taken for a part of the path.
    _, colon, port = place.netloc.rpartition("]")[2].rpartition(":")
    a_bucket = place.scheme in ("s3", "gs", "gcs", "abfs")
    if "@" in place.netloc or (colon and (a_bucket or not port.isdigit())):
        raise StorageError(
            "an address with credentials in it would end up in logs and plans: leave them out; "
            "they come from the environment (AWS_ACCESS_KEY_ID, …), a profile or the machine's role"
        )
    if "?" in text:
        raise StorageError(
            f"{text.partition('?')[0]}: settings in an address do not reach the cluster's workers, "
            "which would go elsewhere: leave out what follows ? and set AWS_ENDPOINT_URL and the "
            "like in the environment of every node"
        )
    return text


def local_path(text: str) -> Path:
    """A path as a person writes it, made absolute. Raises StorageError for a "~" of nobody."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise StorageError(f"{text}: there is no such home folder: {error}") from error


def split_location(location: str) -> tuple[str, str]:
    """The folder above, as ``open_folder`` takes it, and the last name; both of a path or a URI."""
    place, slash, name = location.rpartition("/")
    return place or slash or ".", name


def folder_exists(location: str) -> bool:
    """Whether there is a folder; unlike ``open_folder`` it takes what turns out to be a file."""
    above, name = split_location(location.rstrip("/"))
    return bool(name) and open_folder(above).is_folder(name)


def open_folder(location: str | Path) -> Folder:
    """A folder from a path or a URI (s3://bucket/prefix). It need not exist.

    Local paths are made absolute here: Ray's processes run in other working directories.
    Raises StorageError for an unknown kind of URI, for one with credentials or settings in it, or
    where a file is in the way.
    """
    text = check_address(str(location))
    if "://" not in text:
        filesystem, path = pafs.LocalFileSystem(), str(local_path(text))
    else:
        try:
            # Of S3 this asks for the bucket's region, over the network.
            filesystem, path = _tried("open", text, lambda: pafs.FileSystem.from_uri(text))
        except ValueError as error:
            raise StorageError(f"cannot open {text}: {error}") from error
    folder = Folder(filesystem, path.rstrip("/"))
    if folder.exists() and not folder.is_folder():
        raise StorageError(f"{text} is a file, a folder is needed")
    return folder
