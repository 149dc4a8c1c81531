"""``python -m memseg.predict MODEL IMAGES --out DIR``: scores, labels and heat maps of images.

Exit codes: 0 all is well; 1 some images could not be read (they are rows with an error); 2 the
command or its input is wrong, or the output cannot be written; 130 interrupted.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from memseg.command_line import OK, WRONG, answered, positive
from memseg.errors import is_out_of_memory

if TYPE_CHECKING:
    from memseg.prediction.run import Summary

UNREADABLE = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    again = "interrupted: the same command makes it again from the start"
    return answered(lambda: _run(_parser().parse_args(argv)), again)


def _run(arguments: argparse.Namespace) -> int:
    try:
        summary = _predict(arguments)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        sys.stderr.write(f"error: no memory for {arguments.batch} images at once: lower --batch\n")
        return WRONG
    readable = summary.images - summary.unreadable
    sys.stdout.write(
        f"{summary.images} images: {summary.anomalous} anomalous, "
        f"{readable - summary.anomalous} normal, {summary.unreadable} unreadable; "
        f"in {arguments.out}\n"
    )
    return UNREADABLE if summary.unreadable else OK


def _predict(arguments: argparse.Namespace) -> Summary:
    # PyTorch takes seconds to import: not for --help or a misspelt option.
    from memseg.prediction.images import find_images
    from memseg.prediction.loading import load_model
    from memseg.prediction.model import Options
    from memseg.prediction.run import predict_into

    find_images(arguments.images)  # before the model, which takes longer
    model = load_model(
        arguments.model,
        Options(
            arguments.device,
            arguments.precision,
            arguments.policy,
            arguments.image_threshold,
            arguments.pixel_threshold,
            arguments.threads or 0,
        ),
    )
    for warning in model.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    thresholds = model.thresholds
    sys.stdout.write(
        f"{model.category}, version {model.id}, {model.backend.precision}: anomalous from "
        f"{thresholds.image.value:.6g} ({thresholds.image.policy}), pixels from "
        f"{thresholds.pixel.value:.6g} ({thresholds.pixel.policy})\n"
    )
    with _bar() as progress:
        summary = predict_into(
            arguments.out,
            model,
            arguments.images,
            arguments.batch,
            arguments.decoders,
            arguments.overlays,
            progress,
        )
    for message in summary.first_errors:
        sys.stderr.write(f"unreadable: {message}\n")
    if summary.unreadable > len(summary.first_errors):
        more = summary.unreadable - len(summary.first_errors)
        sys.stderr.write(f"unreadable: {more} more, see column error of the table\n")
    return summary


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing in a log."""
    console = Console(stderr=True)
    columns = (TextColumn("predicting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("predicting", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m memseg.predict",
        description="Scores, labels and heat maps of any number of images, by a published model.",
        epilog="exit codes: 0 all is well, 1 some images could not be read, 2 the command or its "
        "input is wrong",
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="WORKSPACE/registry/CATEGORY@champion, the folder of a version, or an exported .onnx",
    )
    parser.add_argument("images", metavar="IMAGES", help="a folder, with all below it, or a file")
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="for tables and heat maps; need not exist"
    )
    parser.add_argument(
        "--batch", type=positive, default=8, metavar="N",
        help="images at once (default 8, as in evaluation: other numbers may round differently)",
    )  # fmt: skip
    parser.add_argument(
        "--overlays", choices=("all", "anomalous", "none"), default="all",
        help="of which images heat maps are drawn (default all)",
    )  # fmt: skip
    parser.add_argument(
        "--policy", metavar="NAME",
        help="of the version's thresholds: false_positive_rate, best_f1_synthetic, or "
        "best_f1_test, which looked at test labels (default: what the version says)",
    )  # fmt: skip
    for unit in ("image", "pixel"):
        parser.add_argument(
            f"--{unit}_threshold", type=_number, metavar="SCORE",
            help=f"{unit} scores of at least this are anomalous, whatever the version says",
        )  # fmt: skip
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--precision", choices=("as_evaluated", "fp32", "bf16"), default="as_evaluated",
        help="of the network (default as_evaluated: thresholds were chosen in it)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="of the network (default: all cores)"
    )
    parser.add_argument(
        "--decoders", type=positive, default=2, metavar="N",
        help="threads that read and decode images meanwhile (default 2)",
    )  # fmt: skip
    return parser


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a finite number, got {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
