"""``python -m orchestrator.registry export CATEGORY [VERSION]``: the command line of an export.

The one place of this room that goes up to another, and only while an export runs: torch is
imported there (pyproject.toml names the exception to the contracts).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import Any

from memseg.errors import ExportError
from orchestrator.registry.commands.common import (
    OK,
    PROBLEMS,
    find_version,
    known_ids,
    open_workspace,
)
from orchestrator.registry.registry import Registry

FORMATS = ("onnx", "torch")


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds ``export`` to the registry's commands."""
    export = commands.add_parser(
        "export",
        parents=[common],
        help="a model as one ONNX file, or as a folder for PyTorch",
        description="Writes a model for other programs. An ONNX file holds weights, memory, "
        "preprocessing and thresholds; it is compared with PyTorch on real images, and not "
        "written where anomaly maps differ. The folder for PyTorch is the version itself: "
        "safetensors and JSON, no pickle.",
        epilog="exit codes: 0 it is written, 1 the export differs from the model and is not "
        "written, 2 the command is wrong",
    )
    export.add_argument("category", metavar="CATEGORY")
    export.add_argument(
        "version", nargs="?", metavar="VERSION", help="id or its beginning; else the champion"
    )
    export.add_argument("--format", choices=FORMATS, default="onnx", help="default: onnx")
    export.add_argument(
        "--out", required=True, metavar="PATH", help="the ONNX file, or the folder (it must be new)"
    )
    export.add_argument(
        "--images",
        metavar="FOLDER",
        help="real images of this product line to compare on, at any depth below FOLDER; else "
        "those that the model was tested on, where MEMSEG_DATA_ROOT has them",
    )
    export.add_argument(
        "--unchecked",
        action="store_true",
        help="export to ONNX without comparing; the file says so",
    )
    export.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    workspace = open_workspace(arguments.workspace)
    registry = Registry(workspace.sub("registry"))
    known_ids(registry, arguments.category)  # else it says which categories there are
    version = (
        find_version(registry, arguments.category, arguments.version)
        if arguments.version
        else registry.champion(arguments.category)
    )
    from orchestrator.exporting.export import export

    try:
        export(
            version,
            arguments.format,
            arguments.out,
            workspace,
            os.environ,
            images=arguments.images,
            unchecked=arguments.unchecked,
            say=_say,
        )
    except ExportError as error:
        sys.stderr.write(f"error: {error}\n")
        return PROBLEMS
    return OK


def _say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # who reads has seen enough; the file is written
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
