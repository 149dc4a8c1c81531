"""Which storage errors are waited for, and how long."""

from __future__ import annotations

import errno
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memseg import patience
from memseg.errors import StorageError
from memseg.patience import is_passing, patiently, waits
from memseg.storage import open_folder


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.ESTALE, "Stale file handle"),
        ConnectionResetError(errno.ECONNRESET, "reset"),
        TimeoutError(),
        OSError("When reading: AWS Error NETWORK_CONNECTION during HeadObject: curlCode: 7"),
        OSError("AWS Error SLOW_DOWN during PutObject operation"),
        OSError("AWS Error UNKNOWN (HTTP status 503) during PutObject operation"),
    ],
    ids=str,
)
def test_a_store_that_may_come_back_is_waited_for(error: OSError) -> None:
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "no such file"),
        PermissionError(errno.EACCES, "denied"),
        NotADirectoryError(errno.ENOTDIR, "a file is in the way"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EROFS, "Read-only file system"),
        OSError("AWS Error ACCESS_DENIED during PutObject operation"),
        OSError("AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation"),
        OSError("AWS Error UNKNOWN (HTTP status 403) during HeadObject operation"),
    ],
    ids=str,
)
def test_what_waiting_does_not_mend_counts_at_once(error: OSError) -> None:
    assert not is_passing(error)


@given(patience_s=st.floats(0, 600), jitter=st.floats(0, 1, exclude_max=True))
def test_waits_grow_and_sum_to_the_patience(patience_s: float, jitter: float) -> None:
    found = list(waits(patience_s, lambda: jitter))
    assert sum(found) == pytest.approx(patience_s)
    assert all(one <= two for one, two in itertools.pairwise(found[:-1]))
    assert len(found) < 60


def test_jitter_parts_those_who_lost_one_store() -> None:
    assert next(waits(60, lambda: 0.0)) < next(waits(60, lambda: 0.9))


class Failing:
    """Fails some times, then answers."""

    def __init__(self, times: int, error: OSError) -> None:
        self.left, self.error, self.calls = times, error, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error
        return "answer"


def test_an_operation_is_tried_until_it_succeeds() -> None:
    slept: list[float] = []
    operation = Failing(3, OSError(errno.ESTALE, "stale"))
    assert patiently(operation, slept.append) == "answer"
    assert (operation.calls, len(slept)) == (4, 3)


def test_another_error_is_not_tried_again() -> None:
    operation = Failing(1, FileNotFoundError("x"))
    with pytest.raises(FileNotFoundError):
        patiently(operation, lambda _: pytest.fail("nothing to wait for"))
    assert operation.calls == 1


def test_after_its_patience_the_error_counts() -> None:
    slept: list[float] = []
    with pytest.raises(OSError, match="stale"):
        patiently(Failing(10**6, OSError(errno.ESTALE, "stale")), slept.append)
    assert sum(slept) == pytest.approx(patience.PATIENCE_S)


def test_a_folder_waits_for_a_network_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = open_folder(tmp_path / "store")
    real, failing = Path.replace, Failing(2, OSError(errno.ESTALE, "Stale file handle"))

    def replace(self: Path, target: Path) -> Path:
        failing()
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(patience.time, "sleep", lambda _: None)
    folder.write("x.json", b"data")
    assert folder.read("x.json") == b"data"
    assert failing.calls == 3
    assert [p.name for p in (tmp_path / "store").iterdir()] == ["x.json"]


def test_a_full_disk_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match=r"cannot write .*No space left.*make room and run"):
        open_folder(tmp_path / "store").write("x.json", b"data")


@pytest.mark.parametrize("address", ["s3://KEY:SECRET@bucket/x", "s3://KEY@bucket", "gs://a:b@c"])
def test_an_address_with_credentials_is_refused_without_showing_them(address: str) -> None:
    with pytest.raises(StorageError, match="credentials") as caught:
        open_folder(address)
    for secret in ("KEY", "SECRET", "a:b"):
        assert secret not in str(caught.value).replace("AWS_ACCESS_KEY_ID", "")
