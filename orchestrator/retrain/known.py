"""What the registry knows of data and settings: reads versions, decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from memseg.config import MethodConfig, build
from memseg.errors import MemSegError, SettingError, StorageDownError
from memseg.storage import Folder
from memseg.versions.aliases import Aliases
from memseg.versions.version import Version
from orchestrator.job.start import Start
from orchestrator.ledger.contents import recorded_contents
from orchestrator.planning.trial import default_settings
from orchestrator.registry.history import CHALLENGE, FIRST, Change
from orchestrator.registry.reading import RegistryReader
from orchestrator.retrain.changes import Trained


@dataclass(frozen=True)
class Known:
    """A readable version."""

    trained: Trained
    settings: Mapping[str, Any]
    synthetic_score: float | None
    """None where nothing was held out, where what it started from knew some of that, and where its
    settings are not of this program."""
    start: Start | None = None
    """What it started from; None: from the encoder's weights alone."""


def known_versions(
    registry: RegistryReader, workspace: Folder, say: Callable[[str], None]
) -> dict[str, list[Known]]:
    """Category -> its readable versions; ``say`` hears of others. Raises StorageDownError."""
    found: dict[str, list[Known]] = {}
    for category in registry.categories():
        try:
            ids = registry.version_ids(category)
        except StorageDownError:
            raise
        except MemSegError as error:
            say(f"{category}: its models are left out: {error}")
            continue
        judged = _judged(registry, category, ids, say)
        found[category] = list(_readable(registry, workspace, category, ids, judged, say))
    return found


def _judged(
    registry: RegistryReader, category: str, ids: tuple[str, ...], say: Callable[[str], None]
) -> frozenset[str]:
    """``judged_versions`` of a category; all where that cannot be known."""
    try:
        return judged_versions(registry.aliases(category), registry.history(category))
    except StorageDownError:
        raise
    except MemSegError as error:
        say(f"{category}: which of its models were judged is not known: {error}")
        return frozenset(ids)


def judged_versions(aliases: Aliases, history: Sequence[Change]) -> frozenset[str]:
    """The versions that need not be judged (again). Pure.

    Those that have an alias, the last that was judged, and those whose alias a person changed
    since: what a person decided is to stay so.

    ``history``: the changes in force, oldest first.
    """
    named = [aliases]
    for change in reversed(history):
        # A person's own change, by the registry's command, has no evidence.
        if change.action == FIRST or change.evidence is not None:
            last = change.after.champion if change.action != CHALLENGE else change.after.challenger
            named.append(Aliases(last))
            break
        named += [change.before, change.after]
    return frozenset(v for a in named for v in (a.champion, a.challenger) if v is not None)


def _readable(
    registry: RegistryReader,
    workspace: Folder,
    category: str,
    ids: tuple[str, ...],
    judged: frozenset[str],
    say: Callable[[str], None],
) -> Iterator[Known]:
    for version_id in ids:
        try:
            known = _known(registry.version(category, version_id), workspace, version_id in judged)
        except StorageDownError:
            raise
        except (MemSegError, KeyError, TypeError, ValueError, AttributeError) as error:
            say(f"{category}: version {version_id} is left out: {error}")
            continue
        try:
            _check_settings(known.settings)
        except SettingError as error:
            say(f"{category}: settings of version {version_id} are left out: {error}")
            known = replace(known, settings={}, synthetic_score=None)
        yield known


def _known(version: Version, workspace: Folder, judged: bool) -> Known:
    provenance = version.read_json("provenance.json")
    inputs = provenance["inputs"]
    prints = (inputs["train_fingerprint"], inputs["test_fingerprint"])
    contents = recorded_contents(workspace, version.category, *prints)
    synthetic = version.read_json("metrics.json")["synthetic"]
    start = provenance.get("warm_start")
    flattered = start is not None and start["held_out_seen"] != 0
    config = version.read_json("config.json")
    settings = dict(config["settings"])
    began = None
    if start is not None and inputs.get("start") is not None:
        # The model that it started from may be deleted. A warm start keeps what decides here.
        began = Start(
            str(start["version"]), str(inputs["start"]), str(provenance["encoder_weights"]),
            settings, int(config["method_version"]),
        )  # fmt: skip
    return Known(
        Trained(
            version.id,
            str(provenance.get("ended_at") or ""),
            *prints,
            contents.files if contents else None,
            judged,
        ),
        settings,
        float(synthetic["score"]) if synthetic and not flattered else None,
        began,
    )


def _check_settings(settings: Mapping[str, Any]) -> None:
    """Raises SettingError for values that this program does not take.

    Settings that it does not know, or does not find, are no matter: these are the job's.
    """
    build(MethodConfig, {name: settings[name] for name in default_settings() if name in settings})
