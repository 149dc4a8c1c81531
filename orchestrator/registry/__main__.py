"""``python -m orchestrator.registry COMMAND --workspace DIR``: the models that sweeps publish.

Exit codes: 0 all is well; 1 something was found that is not: ``verify`` problems, ``gc`` what it
had to leave alone, ``tables`` trials that are missing, ``export`` a file that differs from its
model; 2 the command or its input is wrong, or refused, and nothing was changed; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from memseg.command_line import answered
from orchestrator.registry.commands import changing, collecting, exporting, looking, rebuilding
from orchestrator.registry.commands.common import Adder, Run

COMMANDS: tuple[Adder, ...] = (
    looking.add, changing.add, collecting.add, rebuilding.add, exporting.add,
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""

    def work() -> int:
        arguments = _parser().parse_args(argv)
        run: Run = arguments.run
        return run(arguments)

    return answered(work, "interrupted")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.registry",
        description="Looks at the models that sweeps have published, and says which are used.",
        epilog="exit codes: 0 all is well, 1 problems or gaps were found, 2 the command is wrong "
        "or refused",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--workspace",
        default=os.environ.get("MEMSEG_WORKSPACE") or "runs",
        metavar="DIR",
        help="folder or URI of the workspace (default: MEMSEG_WORKSPACE, else runs)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands, common)
    return parser


if __name__ == "__main__":
    sys.exit(main())
