"""Which models of the registry changed product lines may start from: their champions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from memseg.errors import MemSegError, RegistryError, StorageDownError
from memseg.versions.layout import MODEL
from memseg.versions.version import Version
from orchestrator.job.start import Start
from orchestrator.registry.reading import RegistryReader


def champions_to_start_from(
    registry: RegistryReader, categories: Iterable[str], say: Callable[[str], None]
) -> dict[str, Start]:
    """Category -> its champion; ``say`` hears of those that cannot serve. Raises StorageDownError.

    Looks at manifests, not at weights: those are checked where they are used.
    """
    found = {}
    for category in categories:
        try:
            found[category] = start_of(registry.champion(category))
        except StorageDownError:
            raise
        except MemSegError as error:
            say(f"{category}: starts afresh, not from its champion: {error}")
    return found


def start_of(version: Version) -> Start:
    """What a plan has to know of it. Raises RegistryError where it cannot be started from."""
    if not version.folder.exists(MODEL):
        raise RegistryError(f"{version.folder.at(MODEL)} is missing")
    config, provenance = version.read_json("config.json"), version.read_json("provenance.json")
    try:
        return Start(
            version=version.id,
            weights=f"sha256:{version.manifest.files[MODEL].sha256}",
            encoder_weights=str(provenance["encoder_weights"]),
            settings=dict(config["settings"]),
            method_version=int(config["method_version"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryError(
            f"version {version.id} was not written by this program: {error!r}"
        ) from error
