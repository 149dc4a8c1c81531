"""``python -m orchestrator.registry list|show|verify|export --workspace DIR``.

Exit codes: 0 all is well; 1 ``verify`` found problems; 2 the command or its input is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from memseg.errors import MemSegError, RegistryError, StorageError
from memseg.storage import open_folder
from orchestrator.registry.export_command import add_export_command, run_export
from orchestrator.registry.registry import Registry, Version
from orchestrator.registry.verify import verify

OK, PROBLEMS, WRONG = 0, 1, 2
_LEAST_PREFIX = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        registry = _open(arguments.workspace)
        if arguments.command == "list":
            return _list(registry)
        if arguments.command == "show":
            return _show(registry, arguments.category, arguments.version)
        if arguments.command == "export":
            version = _find(registry, arguments.category, arguments.version)
            return run_export(arguments, version, open_folder(arguments.workspace))
        return _verify(registry, arguments.category)
    except MemSegError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG
    except BrokenPipeError:  # piped into head
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.registry",
        description="Looks at the models that sweeps have published.",
        epilog="exit codes: 0 all is well, 1 verify found problems, 2 the command is wrong",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--workspace",
        default=os.environ.get("MEMSEG_WORKSPACE") or "runs",
        metavar="DIR",
        help="folder or URI of the workspace (default: MEMSEG_WORKSPACE, else runs)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", parents=[common], help="all versions, champions marked")
    show = commands.add_parser("show", parents=[common], help="a model's card and figures")
    show.add_argument("category", metavar="CATEGORY")
    show.add_argument(
        "version", nargs="?", metavar="VERSION", help="id or its beginning; else the champion"
    )
    check = commands.add_parser(
        "verify", parents=[common], help="compares every byte with its manifest"
    )
    check.add_argument("category", nargs="?", metavar="CATEGORY", help="else all categories")
    add_export_command(commands, common)
    return parser


def _open(location: str) -> Registry:
    workspace = open_folder(location)
    if not workspace.exists():
        raise StorageError(f"workspace {workspace.path} does not exist: give --workspace DIR")
    return Registry(workspace.sub("registry"))


def _console() -> Console:
    # Not a terminal: no folding at 80 columns, so that lines can be searched.
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _list(registry: Registry) -> int:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("category", "version"):
        table.add_column(name, no_wrap=True)
    table.add_column("champion")
    for name in ("image AUROC", "pixel AUROC", "steps"):
        table.add_column(name, justify="right")
    table.add_column("selection")
    table.add_column("encoder weights")
    count, damaged = 0, []
    for category in registry.categories():
        try:
            champion, ids = registry.champion_id(category), registry.version_ids(category)
        except MemSegError as error:
            damaged.append(str(error))
            continue
        for version_id in ids:
            count += 1
            try:
                cells = _version_cells(registry.version(category, version_id))
            except RegistryError as error:
                damaged.append(str(error))
                cells = ["damaged: see verify"]
            mark = "champion" if version_id == champion else ""
            table.add_row(*(Text(cell) for cell in (category, version_id, mark, *cells)))
    for message in damaged:
        sys.stderr.write(f"damaged: {message}\n")
    if not count and damaged:
        return WRONG
    if not count:
        sys.stdout.write(f"no models yet in {registry.folder.path}: run a sweep\n")
        return OK
    _console().print(table)
    return OK


def _version_cells(version: Version) -> list[str]:
    metrics = version.read_json("metrics.json")["test"]
    provenance = version.read_json("provenance.json")
    settings = version.read_json("config.json")["settings"]
    return [
        _percent(metrics["image_auroc"]),
        _percent(metrics["pixel_auroc"]),
        str(settings["training.max_steps"]),
        provenance["selection"],
        provenance["encoder_weights"][:19],
    ]


def _show(registry: Registry, category: str, beginning: str | None) -> int:
    version = _find(registry, category, beginning)
    champion = registry.champion_id(category) == version.id
    sys.stdout.write(version.read("MODEL_CARD.md").decode())
    sys.stdout.write(
        f"\n## In the registry\n\n- {version.folder.path}\n"
        f"- {'the champion' if champion else 'not the champion'} of {category}\n"
    )
    for name, expected in sorted(version.manifest.files.items()):
        sys.stdout.write(f"- {name}: {expected.size} bytes, sha256 {expected.sha256}\n")
    return OK


def _find(registry: Registry, category: str, beginning: str | None) -> Version:
    ids = registry.version_ids(category)
    if not ids:
        known = ", ".join(registry.categories()) or "none"
        raise RegistryError(f"no models of {category!r} in the registry; categories: {known}")
    if beginning is None:
        return registry.champion(category)
    found = [i for i in ids if i.startswith(beginning)]
    if len(beginning) < _LEAST_PREFIX or len(found) != 1:
        raise RegistryError(
            f"{beginning!r} names {len(found)} versions of {category!r}, one is needed (at least "
            f"{_LEAST_PREFIX} characters); there are: {', '.join(ids)}"
        )
    return registry.version(category, found[0])


def _verify(registry: Registry, category: str | None) -> int:
    problems = verify(registry, category)
    names = registry.categories() if category is None else (category,)
    if problems:
        for problem in problems:
            sys.stdout.write(f"{problem}\n")
        word = "problem" if len(problems) == 1 else "problems"
        sys.stdout.write(f"{len(problems)} {word} in {registry.folder.path}\n")
        return PROBLEMS
    versions = sum(len(registry.version_ids(name)) for name in names)
    if not versions:
        sys.stdout.write(f"no models yet in {registry.folder.path}: nothing to verify\n")
        return OK
    sys.stdout.write(
        f"verified: {versions} versions of {len(names)} categories in {registry.folder.path}\n"
    )
    return OK


def _percent(value: float | None) -> str:
    return "not defined" if value is None else f"{100 * value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
