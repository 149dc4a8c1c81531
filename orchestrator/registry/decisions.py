"""What an alias change makes of the aliases. Pure: nothing is read or written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from memseg.errors import RegistryError
from memseg.versions.aliases import Aliases


def promoted(now: Aliases, version: str) -> Aliases:
    """The version is champion; a challenger that became it challenges no more."""
    challenger = None if now.challenger == version else now.challenger
    return replace(now, champion=version, challenger=challenger)


def challenged(now: Aliases, version: str) -> Aliases:
    """The version challenges the champion. Raises RegistryError where that makes no sense."""
    if now.champion is None:
        raise RegistryError(f"{version} has no champion to challenge: promote it")
    if now.champion == version:
        raise RegistryError(f"{version} is the champion: it cannot challenge itself")
    return replace(now, challenger=version)


def dismissed(now: Aliases) -> Aliases:
    """Nobody challenges the champion."""
    return replace(now, challenger=None)


def rolled_back(now: Aliases, champions: Sequence[str]) -> Aliases:
    """The champion before is champion; ``champions``: of ``history.champions``.

    Raises RegistryError where there was none.
    """
    if now.champion is None:
        raise RegistryError("there is no champion yet, so there is nothing to go back from")
    if len(champions) < 2:
        raise RegistryError(
            f"the history knows no champion before {now.champion}: promote the version that is "
            f"wanted by its name"
        )
    return promoted(now, champions[-2])
