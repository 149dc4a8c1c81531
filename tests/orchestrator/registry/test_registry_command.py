"""python -m orchestrator.registry."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memseg.storage import open_folder
from orchestrator.registry.__main__ import main
from orchestrator.registry.registry import Registry

Files = Callable[..., dict[str, bytes]]
FIRST, SECOND = "aaaa0001", "bbbb0002"


@pytest.fixture
def root(tmp_path: Path, files_of: Files) -> Path:
    registry = Registry(open_folder(tmp_path / "registry"))
    registry.publish("screw", FIRST, files_of())
    registry.publish("screw", SECOND, files_of(SECOND, encoder_weights="random"))
    registry.publish("01", SECOND, files_of(SECOND, "01", selection="oracle"))
    return tmp_path


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_list_shows_every_version_and_marks_champions(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--workspace", str(root)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1][:3] == ["01", SECOND, "champion"]
    assert lines[2][:4] == ["screw", FIRST, "champion", "97.50"]
    assert lines[3][:3] == ["screw", SECOND, "97.50"]
    assert "oracle" in lines[1]
    assert "random" in lines[3]


def test_show_prints_the_champions_card_or_a_versions(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "screw", "--workspace", str(root)]) == 0
    shown = capsys.readouterr().out
    assert f"# MemSeg for screw, version {FIRST}" in shown
    assert "the champion of screw" in shown
    assert main(["show", "screw", SECOND[:5], "--workspace", str(root)]) == 0
    shown = capsys.readouterr().out
    assert f"version {SECOND}" in shown
    assert "RANDOM ENCODER WEIGHTS" in shown
    assert "not the champion" in shown


def test_verify_tells_whether_all_is_well(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--workspace", str(root)]) == 0
    assert "verified: 3 versions of 2 categories" in capsys.readouterr().out
    flip(root / "registry/screw/versions" / SECOND / "model.safetensors")
    assert main(["verify", "--workspace", str(root)]) == 1
    shown = capsys.readouterr().out
    assert f"screw/versions/{SECOND}/model.safetensors: was changed" in shown
    assert main(["verify", "01", "--workspace", str(root)]) == 0
    assert main(["verify", "screw", "--workspace", str(root)]) == 1


def test_a_damaged_version_does_not_hide_the_others(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "registry/screw/versions" / FIRST / "manifest.json").write_text("{")
    (root / "registry/01/aliases.json").write_text("?")
    assert main(["list", "--workspace", str(root)]) == 0
    captured = capsys.readouterr()
    assert SECOND in captured.out
    assert "damaged: see verify" in captured.out
    assert "manifest.json" in captured.err
    assert "01/aliases.json" in captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "cable"], "categories: 01, screw"),
        (["show", ".."], "'..'"),
        (["show", "screw", "cccc"], f"{FIRST}, {SECOND}"),
        (["show", "screw", "a"], "at least 4 characters"),
        (["show"], "CATEGORY"),
        (["verify", "cable"], "there are: 01, screw"),
        (["delete"], "invalid choice"),
        ([], "COMMAND"),
        (["list", "--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_command_is_one_message_and_exit_code_2(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    where = ["--workspace", str(root)] if arguments and arguments[0] != "delete" else []
    assert main([*arguments, *where]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_an_empty_workspace_and_a_missing_one_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("list", "verify"):
        assert main([command, "--workspace", str(tmp_path)]) == 0
        assert "no models yet" in capsys.readouterr().out
        assert main([command, "--workspace", str(tmp_path / "none")]) == 2
        assert "does not exist" in capsys.readouterr().err
    (tmp_path / "file").write_text("x")
    assert main(["list", "--workspace", str(tmp_path / "file")]) == 2
    assert "is a file" in capsys.readouterr().err


def test_the_module_runs_without_torch_and_ray(root: Path) -> None:
    code = (
        "import sys; from orchestrator.registry.__main__ import main; "
        f"code = main(['list', '--workspace', {str(root)!r}]); "
        "assert not {'torch', 'ray'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "screw" in done.stdout
