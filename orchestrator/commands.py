"""What the commands that run jobs share: the terminal, exit codes, signals."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from rich.console import Console

from memseg.command_line import answered
from memseg.errors import MemSegError, StoppedError, StorageDownError

ALL_DONE, SOME_FAILED, WRONG, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130


def consoles() -> tuple[Console, Console]:
    """Standard output and error: the terminal's width, or 100 columns in a file or a log."""
    return _console(stderr=False), _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=100)


def explained(run: Callable[[], int], errors: Console) -> int:
    """The exit code of ``run``; errors that are to be expected become a message and a code."""
    try:
        return run()
    except StorageDownError as error:
        errors.print(
            f"stopped: {error}\nfinished trials are kept; when the storage is back, the same "
            "command goes on from here",
            style="bold red", markup=False, highlight=False,
        )  # fmt: skip
        return STOPPED
    except StoppedError as error:
        errors.print(
            f"stopped: {error}\nfinished trials are kept; the same command goes on from here",
            style="bold red", markup=False, highlight=False,
        )  # fmt: skip
        return STOPPED
    except MemSegError as error:
        errors.print(f"error: {error}", style="bold red", markup=False, highlight=False)
        return WRONG
    except KeyboardInterrupt:
        errors.print(
            "interrupted: finished trials are kept; the same command again goes on from here"
        )
        return INTERRUPTED


def show_help(text: str) -> int:
    """Prints a command's help; the exit code."""

    def work() -> int:
        print(text)
        return ALL_DONE

    return answered(work, "")


def heed_signals() -> None:
    """`ray job stop` and cluster managers say SIGTERM: the same clean end as Ctrl-C."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
