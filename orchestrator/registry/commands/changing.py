"""``promote`` and ``rollback``: they change which version is champion."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from orchestrator.registry.commands.common import (
    OK,
    find_version,
    known_ids,
    open_registry,
    percent,
)
from orchestrator.registry.figures import METRICS
from orchestrator.registry.history import Change

BY_HAND = "by hand"


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the two commands."""
    promote = commands.add_parser("promote", parents=[common], help="makes a version champion")
    promote.add_argument("category", metavar="CATEGORY")
    promote.add_argument("version", metavar="VERSION", help="id or its beginning")
    promote.set_defaults(run=_promote)
    rollback = commands.add_parser(
        "rollback", parents=[common],
        help="makes the champion before champion again; once more goes further back",
    )  # fmt: skip
    rollback.add_argument("category", metavar="CATEGORY")
    rollback.set_defaults(run=_rollback)
    for command in (promote, rollback):
        command.add_argument(
            "--reason", type=_text, default=BY_HAND, metavar="TEXT", help="goes into the history"
        )


def _text(argument: str) -> str:
    """Bytes that are no UTF-8 come as surrogates, which no file takes."""
    return argument.encode(errors="replace").decode()


def _promote(arguments: argparse.Namespace) -> int:
    registry, category = open_registry(arguments.workspace), arguments.category
    version = find_version(registry, category, arguments.version)
    change = registry.promote(category, version.id, arguments.reason)
    if change is None:
        sys.stdout.write(f"{version.id} is the champion of {category} already\n")
    else:
        _say(category, change)
    return OK


def _rollback(arguments: argparse.Namespace) -> int:
    registry = open_registry(arguments.workspace)
    known_ids(registry, arguments.category)
    _say(arguments.category, registry.rollback(arguments.category, arguments.reason))
    return OK


def _say(category: str, change: Change) -> None:
    sys.stdout.write(
        f"the champion of {category} is now {change.after.champion}, "
        f"it was {change.before.champion or 'none'}\n"
    )
    for version, figures in change.figures.items():
        shown = ", ".join(
            f"{name.replace('_', ' ')} {percent(figures[name])}" for name in METRICS
        ) if figures else "figures could not be read"  # fmt: skip
        sys.stdout.write(f"  {version}: {shown}\n")


def change_line(change: Change) -> str:
    """A change in one line."""
    before, after = change.before, change.after
    parts = [
        f"{name} {old or 'none'} -> {new or 'none'}"
        for name, old, new in (
            ("champion", before.champion, after.champion),
            ("challenger", before.challenger, after.challenger),
        )
        if old != new
    ]
    reason = " ".join(change.reason.split())
    return f"{change.time:%Y-%m-%d %H:%M:%S} UTC, {change.action}: {', '.join(parts)} ({reason})"
