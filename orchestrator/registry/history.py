"""The history of a category's aliases: one file a change, never changed, never lost.

Each change names the one that it was made on top of, and aliases.json names the last. So what is
in force is a chain, as with commits and their branch. A change that is not in it was interrupted
before aliases.json was written, or another one, made at the same moment, was written after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from memseg.errors import RegistryError
from memseg.storage import Folder
from memseg.versions.aliases import Aliases
from memseg.versions.layout import (
    FORMAT,
    HISTORY,
    check_format,
    is_id,
    is_unfinished,
    json_bytes,
)

FIRST, PROMOTE, ROLLBACK = "first", "promote", "rollback"
CHALLENGE, DISMISS = "challenge", "dismiss"
ACTIONS = (FIRST, PROMOTE, ROLLBACK, CHALLENGE, DISMISS)

_READERS = 8


@dataclass(frozen=True)
class Change:
    """One change of a category's aliases."""

    time: datetime
    """In UTC."""
    action: str
    """One of ACTIONS."""
    reason: str
    before: Aliases
    """``before.change`` is the change that this one was made on top of."""
    after: Aliases
    """Without ``change``: that is this one's own name."""
    figures: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """Version id -> its figures, of the versions that the change is about; None where they could
    not be read."""
    evidence: Mapping[str, Any] | None = None
    """What the caller measured itself in order to decide."""

    def to_bytes(self) -> bytes:
        """The one way to write it. Raises RegistryError for a number that is not finite."""
        return json_bytes(
            {
                "format": FORMAT,
                "time": self.time.isoformat(timespec="microseconds"),
                "action": self.action,
                "reason": self.reason,
                "follows": self.before.change,
                "before": _holders(self.before),
                "after": _holders(self.after),
                "figures": {i: f and dict(f) for i, f in self.figures.items()},
                "evidence": self.evidence and dict(self.evidence),
            }
        )

    @property
    def name(self) -> str:
        """Its file below history/: by time for people, by content so that no two are one."""
        digest = hashlib.sha256(self.to_bytes()).hexdigest()[:16]
        return f"{self.time:%Y%m%dT%H%M%S.%f}Z-{digest}.json"


def _holders(aliases: Aliases) -> dict[str, str | None]:
    return {"champion": aliases.champion, "challenger": aliases.challenger}


def parse_change(data: bytes, where: str) -> Change:
    """A file of history/, checked to the last byte. Raises RegistryError naming ``where``."""
    try:
        value = json.loads(data)
        check_format(value, where)
        change = Change(
            time=datetime.fromisoformat(value["time"]),
            action=str(value["action"]),
            reason=str(value["reason"]),
            before=_aliases(value["before"], value["follows"]),
            after=_aliases(value["after"], None),
            figures=dict(value["figures"]),
            evidence=value["evidence"],
        )
        unchanged = data == change.to_bytes() and where.endswith(f"/{change.name}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(f"{where} is damaged: {error!r}") from error
    if change.action not in ACTIONS or not unchanged:
        raise RegistryError(f"{where} was changed since it was written")
    return change


def _aliases(value: Mapping[str, Any], follows: Any) -> Aliases:
    ids = (value["champion"], value["challenger"])
    if any(i is not None and not is_id(i) for i in ids):
        raise ValueError(f"{ids} are not versions")
    return Aliases(*ids, change=None if follows is None else str(follows))


def read_history(folder: Folder) -> dict[str, Change]:
    """File name -> change, of a category's folder, by time; those not in force too.

    Raises RegistryError for a damaged one, StorageError.
    """
    paths = [f.path for f in folder.files(HISTORY) if not is_unfinished(f.path)]
    with ThreadPoolExecutor(_READERS) as pool:
        data = list(pool.map(folder.read, paths))
    return {
        path.rpartition("/")[2]: parse_change(content, folder.at(path))
        for path, content in zip(paths, data)
    }


def last_change(aliases: Aliases, changes: Mapping[str, Change]) -> str | None:
    """The change that is in force; None where no change is known to be. Pure.

    Where aliases.json names none (an earlier program or a person wrote it) it is the newest that
    made the aliases what they are: a newer one was interrupted. Where the file was deleted, it is
    the newest that is known.
    """
    if aliases.change:
        return aliases.change
    known = (
        name
        for name, change in changes.items()
        if aliases.champion is None or _holders(change.after) == _holders(aliases)
    )
    return max(known, default=None)


def in_force(aliases: Aliases, changes: Mapping[str, Change]) -> tuple[Change, ...]:
    """The chain of changes that led to the aliases, oldest first. Pure.

    It begins where a file of history is gone.
    """
    chain: list[Change] = []
    name = last_change(aliases, changes)
    while name is not None and name in changes and len(chain) < len(changes):
        chain.append(changes[name])
        name = chain[-1].before.change
    return tuple(reversed(chain))


def champions(aliases: Aliases, chain: Sequence[Change]) -> tuple[str, ...]:
    """The champion with those that rollbacks go back to, one after another, last. Pure.

    A promotion adds one, a rollback takes one away: going back twice goes further back.
    """
    stack: list[str] = []
    for change in chain:
        before, after = change.before.champion, change.after.champion
        if before == after or after is None:  # a change of the challenger
            continue
        if before is not None and stack[-1:] != [before]:  # made by an earlier program, or by hand
            stack.append(before)
        if change.action == ROLLBACK and after in stack[:-1]:
            stack.pop()
            while stack[-1] != after:
                stack.pop()
        else:
            stack.append(after)
    if aliases.champion is not None and stack[-1:] != [aliases.champion]:
        stack.append(aliases.champion)
    return tuple(stack)
