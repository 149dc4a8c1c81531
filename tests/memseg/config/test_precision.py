"""What precision auto means, a machine's capabilities, and the identity of encoder weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from memseg.config.encoder import encoder_identity, read_encoder_file
from memseg.config.precision import read_cpu_flags, resolve_precision
from memseg.errors import StorageError


@pytest.mark.parametrize(
    ("device", "flags", "expected"),
    [
        ("cpu", ("sse2", "amx_bf16", "avx2"), "bf16"),
        ("cpu", ("avx512_bf16",), "bf16"),
        ("cpu", ("amx_bf16", "avx512_bf16"), "bf16"),
        ("cpu", (), "fp32"),
        ("cpu", ("avx2", "avx512f", "amx_tile", "amx_int8", "bf16"), "fp32"),
        ("cpu", ("xamx_bf16", "avx512_bf16x"), "fp32"),
        ("cuda", (), "bf16"),
        ("cuda", ("amx_bf16",), "bf16"),
    ],
)
def test_auto_is_bf16_where_the_device_is_fast_at_it(
    device: str, flags: tuple[str, ...], expected: str
) -> None:
    assert resolve_precision("auto", device, flags) == expected
    assert resolve_precision("auto", device, iter(flags)) == expected


@pytest.mark.parametrize("requested", ["fp32", "bf16"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("flags", [(), ("amx_bf16",)])
def test_what_was_asked_for_is_taken(requested: str, device: str, flags: tuple[str, ...]) -> None:
    assert resolve_precision(requested, device, flags) == requested


def test_flags_are_read_as_linux_writes_them(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nmodel name\t: Some CPU: fast\nflags\t\t: fpu sse2 amx_bf16\n"
        "bugs\t\t: spectre_v1\n\nprocessor\t: 1\nflags\t\t: fpu\n"
    )
    assert read_cpu_flags(info) == ("fpu", "sse2", "amx_bf16")
    assert resolve_precision("auto", "cpu", read_cpu_flags(info)) == "bf16"


def test_a_machine_that_tells_nothing_has_no_flags(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    assert read_cpu_flags(info) == ()
    info.write_text("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    assert read_cpu_flags(info) == ()
    assert read_cpu_flags(tmp_path) == ()


# Encoder weights


def test_names_of_weights_are_their_identity() -> None:
    assert encoder_identity("random") == "random"
    assert encoder_identity("imagenet") == "imagenet:f37072fd"


def test_a_file_is_known_by_its_content_not_by_its_place(tmp_path: Path) -> None:
    first, copy, other = tmp_path / "a.pth", tmp_path / "sub" / "b.pth", tmp_path / "c.pth"
    copy.parent.mkdir()
    for path, data in ((first, b"weights"), (copy, b"weights"), (other, b"weights.")):
        path.write_bytes(data)
    expected = "sha256:" + hashlib.sha256(b"weights").hexdigest()
    assert encoder_identity(str(first)) == encoder_identity(str(copy)) == expected
    assert encoder_identity(f"file://{copy}") == expected
    assert encoder_identity(str(other)) != expected
    assert read_encoder_file(str(other)) == b"weights."


def test_a_file_in_the_working_directory_needs_no_slash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resnet.pth").write_bytes(b"w")
    monkeypatch.chdir(tmp_path)
    assert encoder_identity("resnet.pth") == encoder_identity(f"{tmp_path}/resnet.pth")


@pytest.mark.parametrize("name", ["missing.pth", "no/folder/w.pth", "a.pth/w.pth", "folder"])
def test_a_file_that_cannot_be_read_is_named_with_what_to_give(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.pth").write_bytes(b"w")
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        StorageError, match=r"encoder_weights .*give imagenet, random or a file"
    ) as e:
        encoder_identity(f"{tmp_path}/{name}")
    assert f"{tmp_path}/{name}" in str(e.value)
