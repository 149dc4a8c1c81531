"""``python -m memseg.speed MODEL``: images a second, latency, parameters and operations.

Section 4.8. Exit codes: 0 measured; 2 the command or its input is wrong; 130 interrupted. For
figures that mean something the machine must be idle.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

from memseg.errors import MemSegError, SettingError

OK, WRONG, INTERRUPTED = 0, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        sys.stdout.write(_measure(arguments))
    except MemSegError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing was written\n")
        return INTERRUPTED
    return OK


def _measure(arguments: argparse.Namespace) -> str:
    place, name = _target(arguments.out)
    # PyTorch takes seconds to import: not for --help or a misspelt option.
    from memseg.storage import open_folder
    from memseg.timing.measuring import BATCHES, time_batches
    from memseg.timing.report import speed_text
    from memseg.timing.subject import open_subject, report_of
    from memseg.training.execution import set_threads

    if arguments.threads:
        set_threads(arguments.threads)
    subject = open_subject(arguments.model, arguments.device, arguments.precision)
    batches = time_batches(
        subject.backend,
        arguments.batch or BATCHES,
        arguments.seconds,
        lambda batch: print(f"timing batches of {batch}", file=sys.stderr),
    )
    report = report_of(subject, batches)
    if name:
        open_folder(place).write_json(name, report.to_json())
    return speed_text(report)


def _target(out: str | None) -> tuple[str, str]:
    """Folder and name of the report; no name where none is wanted. Raises SettingError."""
    if out is None:
        return ".", ""
    place, slash, name = out.rpartition("/")
    if not name.lower().endswith(".json"):
        raise SettingError(f"--out must be a file that ends in .json, got {out!r}")
    return place or slash or ".", name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m memseg.speed",
        description="Images a second, latency, parameters and operations of a model. Measure on "
        "an idle machine.",
        epilog="exit codes: 0 measured, 2 the command or its input is wrong, 130 interrupted",
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="WORKSPACE/registry/CATEGORY@champion, the folder of a version, an exported .onnx, or "
        "the folder of a trial that kept its weights",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--precision", choices=("as_evaluated", "fp32", "bf16"), default="as_evaluated",
        help="of the network (default: the one that it was evaluated in)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=_positive, metavar="N", help="of the network (default: all cores)"
    )
    parser.add_argument(
        "--batch", type=_positive, nargs="+", metavar="N",
        help="batch sizes (default 1 2 4 8 16 32)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=_seconds, default=5.0, metavar="S",
        help="at least so long, and at least 5 runs, for each batch size (default 5)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE.json", help="writes the report there too")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, got {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
