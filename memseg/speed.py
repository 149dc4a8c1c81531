"""``python -m memseg.speed MODEL``: images a second, latency, parameters and operations.

Section 4.8. Exit codes: 0 measured; 2 the command or its input is wrong; 130 interrupted. For
figures that mean something the machine must be idle.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

from memseg.command_line import OK, answered, file_to_write, positive


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""

    def work() -> int:
        _measure(_parser().parse_args(argv))
        return OK

    return answered(work, "interrupted: nothing was written")


def _measure(arguments: argparse.Namespace) -> None:
    target = None if arguments.out is None else file_to_write(arguments.out, ".json")
    # PyTorch takes seconds to import: not for --help or a misspelt option.
    from memseg.storage import open_folder
    from memseg.timing.measuring import BATCHES, time_batches
    from memseg.timing.report import speed_text
    from memseg.timing.subject import open_subject, report_of

    subject = open_subject(
        arguments.model, arguments.device, arguments.precision, arguments.threads or 0
    )
    batches = time_batches(
        subject.backend,
        arguments.batch or BATCHES,
        arguments.seconds,
        lambda batch: print(f"timing batches of {batch}", file=sys.stderr),
    )
    report = report_of(subject, batches)
    sys.stdout.write(speed_text(report))  # first: it is there also where the file cannot be written
    if target is not None:
        place, name = target
        open_folder(place).write_json(name, report.to_json())


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
        "--threads", type=positive, metavar="N", help="of the network (default: all cores)"
    )
    parser.add_argument(
        "--batch", type=positive, nargs="+", metavar="N",
        help="batch sizes (default 1 2 4 8 16 32)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=_seconds, default=5.0, metavar="S",
        help="at least so long, and at least 5 runs, for each batch size (default 5)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE.json", help="writes the report there too")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, got {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
