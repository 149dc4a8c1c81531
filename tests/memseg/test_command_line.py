"""What the commands share."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from memseg.command_line import INTERRUPTED, OK, WRONG, answered, file_to_write, positive
from memseg.errors import DataError, SettingError


def raising(error: BaseException):
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("no images"), WRONG, "error: no images\n"),
        (KeyboardInterrupt(), INTERRUPTED, "nothing was written\n"),
        (SystemExit(2), 2, ""),
        (SystemExit(None), OK, ""),
    ],
)
def test_what_work_raises_is_one_message_and_a_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answered(raising(error), "nothing was written") == code
    assert capsys.readouterr().err == said


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    program = (
        "import sys; from memseg.command_line import answered; "
        "sys.exit(answered(lambda: print('much ' * {words}) or 0, ''))"
    )
    for words in (1, 100_000):  # what fits into a buffer fails only when that is flushed
        run = subprocess.Popen(
            [sys.executable, "-c", program.format(words=words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert (run.wait(60), run.stderr.read()) == (OK, "")
        run.stderr.close()


def test_an_error_of_the_program_itself_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        answered(raising(ZeroDivisionError()), "")


def test_the_code_of_work_is_the_command_s() -> None:
    assert answered(lambda: 1, "") == 1


@pytest.mark.parametrize(
    ("out", "found"),
    [
        ("a.json", (".", "a.json")),
        ("/a.JSON", ("/", "a.JSON")),
        ("x/y/a.json", ("x/y", "a.json")),
        ("s3://bucket/a.json", ("s3://bucket", "a.json")),
    ],
)
def test_a_file_to_write_is_a_folder_and_a_name(out: str, found: tuple[str, str]) -> None:
    assert file_to_write(out, ".json") == found


@pytest.mark.parametrize("out", ["", "a.png", "a.json/", "folder"])
def test_a_file_of_another_kind_is_refused(out: str) -> None:
    with pytest.raises(SettingError, match=r"--out must be a file that ends in \.json"):
        file_to_write(out, ".json")


def test_a_positive_number_is_one() -> None:
    assert positive("3") == 3
    with pytest.raises(argparse.ArgumentTypeError, match="at least 1, got 0"):
        positive("0")
