"""Which images a model knows: by content, so that a renamed image is known again."""

from __future__ import annotations

from memseg.errors import RegistryError
from memseg.storage import Folder
from memseg.versions.version import Version
from orchestrator.ledger.contents import recorded_contents


def seen_images(version: Version, workspace: Folder) -> frozenset[str] | None:
    """sha256 of the images that a model, or one that it started from, was trained on or remembers.

    None where that was not recorded. Raises RegistryError, StorageError.
    """
    provenance = version.read_json("provenance.json")
    try:
        inputs, held_out = provenance["inputs"], provenance["held_out"] or ()
        start = provenance.get("warm_start")
        earlier = start["seen"] if start else ()
        prints = (str(inputs["train_fingerprint"]), str(inputs["test_fingerprint"]))
        kept_out = {name.removeprefix(f"{version.category}/") for name in held_out}
    except (KeyError, TypeError, AttributeError) as error:
        raise RegistryError(
            f"provenance.json of version {version.id} of {version.category!r} was not written by "
            f"this program: {error!r}"
        ) from error
    contents = recorded_contents(workspace, version.category, *prints)
    if contents is None or earlier is None:
        return None
    files = (sha for path, sha in contents.files.items() if path not in kept_out)
    return contents.train.intersection(files).union(earlier)
