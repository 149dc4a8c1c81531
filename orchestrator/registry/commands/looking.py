"""``list``, ``show`` and ``verify``: they change nothing."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from rich.table import Table
from rich.text import Text

from memseg.errors import MemSegError, RegistryError
from memseg.versions.version import Version
from memseg.words import counted
from orchestrator.registry.commands.changing import change_line
from orchestrator.registry.commands.common import (
    OK,
    PROBLEMS,
    WRONG,
    console,
    find_version,
    known_ids,
    open_registry,
    percent,
    plain,
)
from orchestrator.registry.verify import verify


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the three commands."""
    listing = commands.add_parser("list", parents=[common], help="all versions with their aliases")
    listing.set_defaults(run=_list)
    show = commands.add_parser("show", parents=[common], help="a model's card, figures and history")
    show.add_argument("category", metavar="CATEGORY")
    show.add_argument(
        "version", nargs="?", metavar="VERSION", help="id or its beginning; else the champion"
    )
    show.set_defaults(run=_show)
    check = commands.add_parser(
        "verify", parents=[common], help="compares every byte with its manifest"
    )
    check.add_argument("category", nargs="?", metavar="CATEGORY", help="else all categories")
    check.set_defaults(run=_verify)


def _list(arguments: argparse.Namespace) -> int:
    registry = open_registry(arguments.workspace)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("category", "version"):
        table.add_column(name, no_wrap=True)
    table.add_column("alias")
    for name in ("image AUROC", "pixel AUROC", "steps"):
        table.add_column(name, justify="right")
    table.add_column("selection")
    table.add_column("encoder weights")
    count, damaged = 0, []
    for category in registry.categories():
        try:
            aliases, ids = registry.aliases(category), registry.version_ids(category)
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
            row = (category, version_id, aliases.of(version_id), *cells)
            table.add_row(*(Text(plain(cell)) for cell in row))
        gone = {aliases.champion, aliases.challenger} - {None, *ids}
        damaged += [f"{category}: the {aliases.of(i)} {i} is gone" for i in sorted(map(str, gone))]
    for message in damaged:
        sys.stderr.write(f"damaged: {message}\n")
    if not count and damaged:
        return WRONG
    if not count:
        sys.stdout.write(f"no models yet in {registry.folder.path}: run a sweep\n")
        return OK
    console().print(table)
    return OK


def _version_cells(version: Version) -> list[str]:
    try:
        metrics = version.read_json("metrics.json")["test"]
        provenance = version.read_json("provenance.json")
        settings = version.read_json("config.json")["settings"]
        return [
            percent(metrics["image_auroc"]),
            percent(metrics["pixel_auroc"]),
            str(settings["training.max_steps"]),
            str(provenance["selection"]),
            str(provenance["encoder_weights"])[:19],
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryError(
            f"{version.folder.path} has files that this program did not write: {error!r}"
        ) from error


def _show(arguments: argparse.Namespace) -> int:
    registry, category = open_registry(arguments.workspace), arguments.category
    known_ids(registry, category)
    if arguments.version is None:
        version = registry.champion(category)
    else:
        version = find_version(registry, category, arguments.version)
    aliases = registry.aliases(category)
    alias = aliases.of(version.id)
    sys.stdout.write(plain(version.read("MODEL_CARD.md").decode(errors="replace")))
    sys.stdout.write(
        f"\n## In the registry\n\n- {version.folder.path}\n"
        f"- {f'the {alias}' if alias else 'not the champion'} of {category}\n"
    )
    for name, expected in sorted(version.manifest.files.items()):
        sys.stdout.write(f"- {name}: {expected.size} bytes, sha256 {expected.sha256}\n")
    try:
        changes = registry.history(category)
    except RegistryError as error:
        sys.stderr.write(f"damaged: {error}\n")
        return OK
    if changes:
        sys.stdout.write(f"\n## Changes of the aliases of {category}\n\n")
    for change in changes:
        sys.stdout.write(f"- {plain(change_line(change))}\n")
    return OK


def _verify(arguments: argparse.Namespace) -> int:
    registry, category = open_registry(arguments.workspace), arguments.category
    problems = verify(registry, category)
    names = registry.categories() if category is None else (category,)
    if problems:
        for problem in problems:
            sys.stdout.write(f"{plain(str(problem))}\n")
        sys.stdout.write(f"{counted(len(problems), 'problem')} in {registry.folder.path}\n")
        return PROBLEMS
    versions = sum(len(registry.version_ids(name)) for name in names)
    if not versions:
        sys.stdout.write(f"no models yet in {registry.folder.path}: nothing to verify\n")
        return OK
    categories = counted(len(names), "category", "categories")
    sys.stdout.write(
        f"verified: {counted(versions, 'version')} of {categories} in {registry.folder.path}\n"
    )
    return OK
