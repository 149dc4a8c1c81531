"""``gc``: shows what is not needed any more, and deletes it when told to."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from memseg.data.categories import check_category_name
from memseg.errors import RegistryError
from orchestrator.registry.collecting import (
    KEPT_NEWEST,
    delete_garbage,
    find_garbage,
)
from orchestrator.registry.commands.common import OK, PROBLEMS, open_registry, plain, size_text


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    collect = commands.add_parser(
        "gc", parents=[common],
        help="shows old versions and leftovers; deletes them with --yes",
        description="Shows versions that are neither champion, nor challenger, nor what a rollback "
        "would take, nor among the newest; and leftovers of interrupted publications, older than a "
        "day. Results in the ledger stay.",
    )  # fmt: skip
    collect.add_argument("category", nargs="?", metavar="CATEGORY", help="else all categories")
    collect.add_argument(
        "--keep", type=_count, default=KEPT_NEWEST, metavar="N",
        help=f"how many of the newest versions of a category stay in any case "
        f"(default {KEPT_NEWEST})",
    )  # fmt: skip
    collect.add_argument("--yes", action="store_true", help="deletes; without it nothing is")
    collect.set_defaults(run=_collect)


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, got {value}")
    return value


def _collect(arguments: argparse.Namespace) -> int:
    registry, category = open_registry(arguments.workspace), arguments.category
    names = registry.categories()
    if category is not None:
        if check_category_name(category) not in names:
            known = ", ".join(names) or "none"
            raise RegistryError(f"no category {category!r} in the registry; there are: {known}")
        names = (category,)
    found = find_garbage(registry, names, arguments.keep, registry.now())
    deleted = 0
    for item in found.garbage:
        done = ""
        if arguments.yes:
            try:
                gone = delete_garbage(registry, item)
            except RegistryError as error:  # not certain any more; the others are
                found.left_alone.append(f"{item.category}: {item.name}: {error}")
                continue
            deleted += item.size if gone else 0
            done = "deleted: " if gone else "kept, it is needed by now: "
        sys.stdout.write(
            f"{done}{plain(item.category)}  {item.kind}  {item.name}  {size_text(item.size)}  "
            f"{plain(item.since)}\n"
        )
    for reason in found.left_alone:
        sys.stderr.write(f"left alone: {plain(reason)}\n")
    total = size_text(sum(item.size for item in found.garbage))
    if not found.garbage:
        sys.stdout.write("nothing to delete\n")
    elif arguments.yes:
        sys.stdout.write(f"deleted {size_text(deleted)}\n")
    else:
        sys.stdout.write(f"{len(found.garbage)} to delete, {total}: nothing was, give --yes\n")
    return PROBLEMS if found.left_alone else OK
