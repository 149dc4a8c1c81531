"""What the registry knows of data and settings: reads versions, decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from memseg.errors import MemSegError, RegistryError, StorageDownError
from memseg.storage import Folder
from memseg.versions.version import Version
from orchestrator.ledger.contents import recorded_contents
from orchestrator.registry.reading import RegistryReader
from orchestrator.retrain.changes import Trained


@dataclass(frozen=True)
class Known:
    """A readable version."""

    trained: Trained
    settings: Mapping[str, Any]
    synthetic_score: float | None


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
        found[category] = list(_readable(registry, workspace, category, ids, say))
    return found


def _readable(
    registry: RegistryReader,
    workspace: Folder,
    category: str,
    ids: tuple[str, ...],
    say: Callable[[str], None],
) -> Iterator[Known]:
    for version_id in ids:
        try:
            yield _known(registry.version(category, version_id), workspace)
        except StorageDownError:
            raise
        except (MemSegError, KeyError, TypeError) as error:
            say(f"{category}: version {version_id} is left out: {error}")


def _known(version: Version, workspace: Folder) -> Known:
    provenance = version.read_json("provenance.json")
    inputs = provenance["inputs"]
    prints = (inputs["train_fingerprint"], inputs["test_fingerprint"])
    synthetic = version.read_json("metrics.json")["synthetic"]
    return Known(
        Trained(
            version.id,
            str(provenance.get("ended_at") or ""),
            *prints,
            recorded_contents(workspace, version.category, *prints),
        ),
        version.read_json("config.json")["settings"],
        synthetic["score"] if synthetic else None,
    )


def unseen_images(
    held_out: tuple[str, ...], files: Mapping[str, str], champion: Version, workspace: Folder
) -> tuple[str, ...]:
    """Of ``held_out``, the images that the champion was neither trained on nor holds in memory.

    ``held_out``: names as in results, "screw/train/good/000.png"; ``files``: path below the
    category -> sha256, as the folder is now. By content, so that a renamed image is known again;
    () where the champion's files were not recorded. Raises RegistryError.
    """
    category = champion.category
    provenance = champion.read_json("provenance.json")
    inputs = provenance["inputs"]
    before = recorded_contents(
        workspace, category, inputs["train_fingerprint"], inputs["test_fingerprint"]
    )
    if before is None:
        return ()
    kept_out = {name.removeprefix(f"{category}/") for name in provenance["held_out"] or ()}
    # Its test images were not trained on; that they are not among normal training images is not
    # for this place to judge, so that all its other files count as seen.
    seen = {sha for path, sha in before.items() if path not in kept_out}
    unseen = []
    for name in held_out:
        path = name.removeprefix(f"{category}/")
        if path not in files:
            raise RegistryError(f"{name} was held out, but is not among the images any more")
        if files[path] not in seen:
            unseen.append(name)
    return tuple(unseen)
