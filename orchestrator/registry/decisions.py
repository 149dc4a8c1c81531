"""What an alias change makes of the aliases. Pure: nothing is read or written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from memseg.errors import RegistryError
from memseg.versions.aliases import Aliases


class OutdatedError(RegistryError):
    """A decision was made beside a champion that is none any more."""


def promoted(now: Aliases, version: str, beside: str | None = None) -> Aliases:
    """The version is champion; a challenger that became it challenges no more.

    Raises OutdatedError where ``beside``, if it is named, is not the champion.
    """
    _check_beside(now, beside)
    challenger = None if now.challenger == version else now.challenger
    return replace(now, champion=version, challenger=challenger)


def challenged(now: Aliases, version: str, beside: str | None = None) -> Aliases:
    """The version challenges the champion.

    Raises RegistryError where that makes no sense, OutdatedError like ``promoted``.
    """
    _check_beside(now, beside)
    if now.champion is None:
        raise RegistryError(f"{version} has no champion to challenge: promote it")
    if now.champion == version:
        raise RegistryError(f"{version} is the champion: it cannot challenge itself")
    return replace(now, challenger=version)


def _check_beside(now: Aliases, beside: str | None) -> None:
    if beside not in (None, now.champion):
        raise OutdatedError(
            f"it was judged beside the champion {beside}, but meanwhile {now.champion} was made "
            "champion: judge it again"
        )


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
