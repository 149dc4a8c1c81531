"""What the commands share: exit codes, what a person reads in place of a stack trace, types."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from memseg.errors import MemSegError, SettingError
from memseg.storage import split_location

OK, WRONG, INTERRUPTED = 0, 2, 130


def answered(work: Callable[[], int], interrupted: str) -> int:
    """The exit code of ``work``; what it raises becomes one message and WRONG.

    ``interrupted``: what Ctrl-C leaves behind, in words; then the code is INTERRUPTED. A reader
    of standard output that has seen enough (``| head``) is OK.
    """
    try:
        code = work()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Python flushes it once more at its end.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return OK
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    except MemSegError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG
    except KeyboardInterrupt:
        sys.stderr.write(f"{interrupted}\n")
        return INTERRUPTED


def positive(text: str) -> int:
    """An option's value: a whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def file_to_write(out: str, ending: str) -> tuple[str, str]:
    """Folder and name of ``--out``. Raises SettingError for a name that ends otherwise."""
    place, name = split_location(out)
    if not name.lower().endswith(ending):
        raise SettingError(f"--out must be a file that ends in {ending}, got {out!r}")
    return place, name
