"""``python -m memseg.predict``: exit codes and messages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memseg.predict import main
from memseg.prediction import stream

Publish = Callable[..., Path]
Draw = Callable[..., list[Path]]


@pytest.fixture
def command(publish: Publish, draw: Draw, tmp_path: Path) -> list[str]:
    """MODEL IMAGES --out DIR of a champion and five images."""
    publish()
    draw(5)
    champion = f"{tmp_path}/ws/registry/screw@champion"
    return [champion, str(tmp_path / "photos"), "--out", str(tmp_path / "out"), "--threads", "1"]


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return " ".join(out.split()), " ".join(err.split())


def test_all_is_well(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 0
    out, err = said(capsys)
    assert "screw, version aaaa0001, fp32: anomalous from 0.5 (false_positive_rate)" in out
    assert "5 images: " in out
    assert "0 unreadable" in out
    assert err == ""
    assert (tmp_path / "out" / "prediction.json").is_file()


def test_unreadable_images_are_exit_code_1(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in sorted((tmp_path / "photos").rglob("*.png"))[:4]:
        path.write_bytes(b"")
    assert main(command) == 1
    out, err = said(capsys)
    assert "4 unreadable" in out
    assert err.count("is empty") == 3
    assert "1 more, see column error" in err


def test_options_reach_the_run(command: list[str], tmp_path: Path) -> None:
    options = ["--image_threshold", "0.25", "--policy", "best_f1_test", "--batch", "2",
               "--overlays", "none", "--precision", "bf16"]  # fmt: skip
    assert main([*command, *options]) == 0
    about = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert about["thresholds"] == {
        "image": {"value": 0.25, "policy": "given"},
        "pixel": {"value": 0.42, "policy": "best_f1_test"},
    }
    assert (about["batch_size"], about["overlays"], about["precision"]) == (2, "none", "bf16")
    assert "predicts in bf16" in about["warnings"][0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: [c[0].replace("screw@", "tile@"), *c[1:]], "no category 'tile'"),
        (lambda c: [c[0], "/nowhere/at/all", *c[2:]], "there are no images at /nowhere/at/all"),
        (lambda c: [c[0], "", *c[2:]], "no folder of images was given"),
        (lambda c: [*c[:2], "--out", ""], "--out is empty"),
        (lambda c: [*c[:2], "--out", "/tmp/" + 300 * "x"], "cannot write into"),
        (lambda c: [c[0], *c[1:3], c[1] + "/out", *c[4:]], "give a folder beside it"),
        (lambda c: [*c[:3], "~nobody-here/out", *c[4:]], "no such home folder"),
        (lambda c: [c[0], "~nobody-here/images", *c[2:]], "no such home folder"),
        (lambda c: [*c, "--policy", "best"], "the policy must be one of"),
        (lambda c: [*c, "--batch", "0"], "must be at least 1"),
        (lambda c: [*c, "--image_threshold", "nan"], "must be a finite number"),
        (lambda c: [*c, "--image_threshold", "much"], "--image_threshold"),
        (lambda c: c[:2], "--out"),
        (lambda c: [*c, "--bach", "2"], "--bach"),
    ],
)
def test_a_wrong_command_is_one_message(
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[list[str]], list[str]],
    words: str,
) -> None:
    assert main(change(command)) == 2
    assert words in said(capsys)[1]
    assert not (tmp_path / "out").exists()


def test_a_changed_model_and_one_that_is_gone_are_one_message(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "ws" / "registry" / "screw" / "versions" / "aaaa0001"
    (folder / "config.json").write_text("{}")
    assert main(command) == 2
    assert "was changed since it was published" in said(capsys)[1]
    shutil.rmtree(folder)
    assert main(command) == 2
    assert "which is gone" in said(capsys)[1]


def test_a_model_without_thresholds_of_its_own_says_what_to_do(
    publish: Publish, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(thresholds__json={"image_threshold": 0.3, "pixel_threshold": 0.2, "undefined": {}})
    assert main(command) == 2
    err = said(capsys)[1]
    assert "chosen without test labels" in err
    assert "best_f1_test" in err
    assert main([*command, "--policy", "best_f1_test"]) == 0


def test_an_interruption_is_one_line(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stream, "image_score", interrupted)
    assert main(command) == 130
    assert said(capsys)[1] == "interrupted: the same command makes it again from the start"


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: not enough memory: you tried")]
)
def test_a_batch_that_is_too_large_is_one_line(
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def full(*args: object) -> None:
        raise error

    monkeypatch.setattr(stream, "image_score", full)
    assert main([*command, "--batch", "2"]) == 2
    assert said(capsys)[1] == "error: no memory for 2 images at once: lower --batch"


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from memseg.predict import main; assert main(['--help']) == 0; "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "CATEGORY@champion" in done.stdout
