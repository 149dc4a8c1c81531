"""What happened to product lines since they were last trained. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.planning.inventory import CategoryInventory

NEW, CHANGED, UNCHANGED, VANISHED, UNUSABLE = "new", "changed", "unchanged", "vanished", "unusable"
NOT_JUDGED = "not judged"
_SHOWN = 3
"""File names of a kind in a line; the others are counted."""


@dataclass(frozen=True)
class Trained:
    """The data of one registry version."""

    version: str
    ended_at: str
    """ISO 8601, UTC."""
    train_fingerprint: str
    test_fingerprint: str
    files: Mapping[str, str] | None
    """Path below the category -> sha256; None where they were not recorded."""
    judged: bool = True
    """Whether it has an alias, or is the last that was judged. It is not where the command was
    stopped between publishing and judging it, or could not judge it, and where the folder was put
    back to what it held before."""


@dataclass(frozen=True)
class Difference:
    """Files below the category's folder, sorted. A renamed file is removed and added."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [
            f"{len(files)} {word} ({_names(files)})"
            for word, files in (
                ("added", self.added), ("removed", self.removed), ("edited", self.edited),
            )
            if files
        ]  # fmt: skip
        return ", ".join(parts) or "no file"


@dataclass(frozen=True)
class Change:
    """What a category is now, compared with the registry."""

    category: str
    state: str
    """NEW, CHANGED, NOT_JUDGED, UNCHANGED, VANISHED or UNUSABLE."""
    reason: str

    @property
    def trains(self) -> bool:
        """Whether it needs a training, or at least another evaluation."""
        return self.state in (NEW, CHANGED, NOT_JUDGED)


def compare(
    now: Iterable[CategoryInventory], known: Mapping[str, Sequence[Trained]]
) -> tuple[Change, ...]:
    """One change for each category that is in the folder or in the registry, by name.

    ``known``: the data of all versions of each category in the registry, in any order. A
    category is unchanged when any of them was made from these very images and judged, whether or
    not that version is the champion. Images that are put back to an earlier state are not: that
    state's version is judged beside what is champion now.
    """
    found = {category.category: category for category in now}
    changes = [_change(category, known.get(name, ())) for name, category in found.items()]
    changes += [
        Change(name, VANISHED, "its folder is gone; its models stay")
        for name, versions in known.items()
        if versions and name not in found
    ]
    return tuple(sorted(changes, key=lambda change: change.category))


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> Difference:
    """From path -> sha256 to path -> sha256."""
    return Difference(
        added=tuple(sorted(now.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - now.keys())),
        edited=tuple(sorted(p for p in before.keys() & now.keys() if before[p] != now[p])),
    )


def _change(category: CategoryInventory, versions: Sequence[Trained]) -> Change:
    name = category.category
    if category.problem:
        return Change(name, UNUSABLE, category.problem)
    if not versions:
        return Change(name, NEW, f"{category.normal} normal images, no model yet")
    same = [version for version in versions if _made_from(version, category)]
    if same:
        version = next((v for v in same if v.judged), same[0])
        made = f"version {version.version} was made from these images"
        if version.judged:
            return Change(name, UNCHANGED, made)
        return Change(name, NOT_JUDGED, f"{made}, but not judged beside today's champion")
    newest = max(versions, key=lambda version: (version.ended_at, version.version))
    return Change(name, CHANGED, _what_changed(category, newest))


def waits_for_judgement(version: Trained, now: CategoryInventory) -> bool:
    """Whether it was made from the images that are there now, and not judged."""
    return not version.judged and _made_from(version, now)


def _made_from(version: Trained, now: CategoryInventory) -> bool:
    prints = (version.train_fingerprint, version.test_fingerprint)
    return prints == (now.train_fingerprint, now.test_fingerprint)


def _what_changed(category: CategoryInventory, newest: Trained) -> str:
    since = f"since version {newest.version}"
    if newest.files is not None:
        return f"{difference(newest.files, category.files)} {since}"
    parts = [
        part
        for part, then, here in (
            ("training", newest.train_fingerprint, category.train_fingerprint),
            ("test", newest.test_fingerprint, category.test_fingerprint),
        )
        if then != here
    ]
    return f"{' and '.join(parts)} images {since}, whose files were not recorded"


def _names(files: Sequence[str]) -> str:
    shown = ", ".join(files[:_SHOWN])
    return shown if len(files) <= _SHOWN else f"{shown}, ..."
