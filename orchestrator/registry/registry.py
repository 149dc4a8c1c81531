"""Publishing and reading versions.

The contract, on every storage:

- A version is immutable: once complete, none of its bytes is written again.
- A version is complete or absent. Its manifest is written last, and what has no manifest is not
  listed, not read and not named champion.
- A version's id is its trial's key: publishing a trial twice, also at the same time by two
  publishers, is one version, all of whose files are of one of them. An interrupted
  publication is completed by the next.
- The first version of a category becomes its champion; later ones are only published. Where
  aliases.json was deleted and history knows more than that first one, a person promotes.
- What is read is checked against the manifest's sha256; a changed byte is an error.
- Each change of an alias is a file in the category's history, written before the alias. Which of
  two changes at the same moment wins is said in orchestrator.registry.changing.
- Only a version of which every byte is right becomes champion or challenger.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from memseg.errors import RegistryError
from memseg.storage import Folder
from memseg.versions.aliases import CHAMPION, Aliases, read_aliases
from memseg.versions.layout import (
    ALIASES,
    MANIFEST,
    check_id,
)
from memseg.versions.version import Version
from orchestrator.registry.changing import one_at_a_time, write_change
from orchestrator.registry.checking import check_version
from orchestrator.registry.decisions import challenged, dismissed, promoted, rolled_back
from orchestrator.registry.figures import figures_of
from orchestrator.registry.history import (
    CHALLENGE,
    DISMISS,
    FIRST,
    PROMOTE,
    ROLLBACK,
    Change,
    champions,
    last_change,
    read_history,
)
from orchestrator.registry.reading import RegistryReader
from orchestrator.registry.writing import write_version

__all__ = ["Registry", "Version"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Registry(RegistryReader):
    """Publishes versions, and says which of them has which alias."""

    now: Callable[[], datetime] = _utc_now
    """In UTC; dates the changes of aliases."""

    def is_published(self, category: str, trial_key: str) -> bool:
        """Whether a trial's model is there, so that ``publish`` needs none of its files.

        Ends what a publisher that was killed before it could name the first champion left open.
        """
        found = self.version_folder(category, trial_key).exists(MANIFEST)
        if found:
            self._name_first_champion(category, trial_key)
        return found

    def publish(self, category: str, trial_key: str, files: Mapping[str, bytes]) -> Version:
        """Publishes a trial's model; does nothing where that was done before.

        ``files``: name -> bytes, at least those of ``layout.REQUIRED``, made of the trial's
        result alone, so that two publishers write the same. Raises RegistryError for missing or
        badly named files, DataError for a bad category name, StorageError.
        """
        folder = self.version_folder(category, trial_key)
        if not folder.exists(MANIFEST):
            write_version(folder, category, trial_key, files)
        version = self.version(category, trial_key)
        self._name_first_champion(category, trial_key)
        return version

    def promote(
        self,
        category: str,
        version: str,
        reason: str,
        evidence: Mapping[str, Any] | None = None,
        beside: str | None = None,
    ) -> Change | None:
        """Makes a version champion; None where it is that already.

        The change goes into history with ``reason``, the figures of the old and the new champion,
        and ``evidence``: what the caller measured itself in order to decide (JSON), ``beside`` the
        champion of then. Raises RegistryError where the version is absent or damaged, and
        OutdatedError where that champion is none any more; then nothing was changed.
        """
        check_id(version)
        return self._change(
            category, PROMOTE, lambda now: promoted(now, version, beside), reason, evidence
        )

    def challenge(
        self,
        category: str,
        version: str,
        reason: str,
        evidence: Mapping[str, Any] | None = None,
        beside: str | None = None,
    ) -> Change | None:
        """Makes a version challenger; like ``promote``, with the champion's figures as the old."""
        check_id(version)
        return self._change(
            category, CHALLENGE, lambda now: challenged(now, version, beside), reason, evidence
        )

    def dismiss(self, category: str, reason: str) -> Change | None:
        """The challenger challenges no more; None where there is none."""
        return self._change(category, DISMISS, dismissed, reason)

    def rollback(self, category: str, reason: str) -> Change:
        """Makes the champion before champion again; once more goes further back.

        Raises RegistryError where there is none, or it is gone or damaged; nothing was changed.
        """

        def decide(now: Aliases) -> Aliases:
            return rolled_back(now, champions(now, self.history(category)))

        change = self._change(category, ROLLBACK, decide, reason)
        assert change is not None  # the champion before is another one
        return change

    def _change(
        self,
        category: str,
        action: str,
        decide: Callable[[Aliases], Aliases],
        reason: str,
        evidence: Mapping[str, Any] | None = None,
    ) -> Change | None:
        folder = self.category_folder(category)
        with one_at_a_time(folder):
            now = self._known(folder)
            after = replace(decide(now), change=None)
            if after == replace(now, change=None):
                return None
            for version in (after.champion, after.challenger):
                if version is not None and now.of(version) != after.of(version):
                    self._check(category, version, after.of(version))
            old, new = now.champion, after.champion
            if old == new:  # it is about the challenger
                new = after.challenger or now.challenger
            figures = self._figures(category, [i for i in (old, new) if i])
            change = Change(self.now(), action, reason, now, after, figures, evidence)
            write_change(folder, change)
        return change

    def _known(self, folder: Folder) -> Aliases:
        """The aliases with the change that is in force."""
        now = read_aliases(folder)
        return now if now.change else replace(now, change=last_change(now, read_history(folder)))

    def _check(self, category: str, version: str, alias: str) -> None:
        folder = self.version_folder(category, version)
        said = f"version {version} cannot become {alias} of {category!r}"
        if not folder.exists(MANIFEST):
            known = ", ".join(self.version_ids(category)) or "none"
            raise RegistryError(f"{said}: it is gone or never was; complete versions: {known}")
        problems = list(check_version(folder, category, version))
        if problems:
            more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
            raise RegistryError(
                f"{said}: it is damaged ({problems[0]}{more}); nothing was changed: promote "
                f"another version"
            )

    def _figures(
        self, category: str, versions: Iterable[str]
    ) -> dict[str, Mapping[str, Any] | None]:
        found: dict[str, Mapping[str, Any] | None] = {}
        for version in versions:
            try:
                found[version] = figures_of(self.version(category, version))
            except RegistryError:  # it is gone: that must not keep anybody from replacing it
                found[version] = None
        return found

    def _name_first_champion(self, category: str, published: str) -> None:
        folder = self.category_folder(category)
        if folder.exists(ALIASES):
            return
        with one_at_a_time(folder):
            if folder.exists(ALIASES):
                return
            first = self._first(category, published)
            if first is None:
                return
            reason = "the first version of its category"
            change = Change(
                self.now(), FIRST, reason, Aliases(), Aliases(first),
                self._figures(category, [first]),
            )  # fmt: skip
            try:
                write_change(folder, change)
            except RegistryError:  # somebody else has named one, on a storage without locks
                if self.champion_id(category) is None:
                    raise

    def _first(self, category: str, published: str) -> str | None:
        """The version that is to be the first champion; None where a person is to say it.

        Another version without a champion beside it may have been published first, by a process
        that ended before it could say so.
        """
        changes = read_history(self.category_folder(category)).values()
        if any(change.action != FIRST for change in changes):
            return None
        named = [change.after.champion for change in changes]
        earlier = [i for i in self.version_ids(category) if i != published]
        for version in (*named, *earlier):
            if version is None or version == published:
                continue
            with contextlib.suppress(RegistryError):
                self._check(category, version, CHAMPION)
                return version
        return published
