"""A version as one folder for PyTorch, byte for byte as it lies in the registry.

No ``.pt2`` of torch.export: torch 2.14 reads the tensors of such a file with
``torch.load(weights_only=False)``, so opening one runs whatever its pickles say. The version's own
files, safetensors and JSON, run nothing; ``MODEL_CARD.md`` among them says how to load them, and
its manifest holds their sha256. As nothing is converted there is nothing to compare.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from memseg.errors import ExportError, SettingError
from memseg.storage import local_path, open_folder
from memseg.versions.layout import MANIFEST
from orchestrator.exporting.places import is_there
from orchestrator.registry.registry import Version


def export_folder(version: Version, out: str, say: Callable[[str], None]) -> Path:
    """Copies the version to the folder ``out``, which must not exist; whole or not at all.

    Each file is checked against the manifest. Raises RegistryError for one that was changed,
    SettingError for an ``out`` that is there already, StorageError.
    """
    path = local_path(out)
    if is_there(path, Path.exists):
        raise SettingError(f"--out {path} exists already: name a folder that does not")
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    folder = open_folder(beside)
    try:
        for name in sorted(version.manifest.files):
            folder.write(name, version.read(name))
        folder.write(MANIFEST, version.manifest.to_bytes())
        _rename(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    size = sum(file.size for file in version.manifest.files.values())
    say(f"{version.category}, version {version.id}: {path} ({size / 1e6:.1f} MB)")
    return path


def _rename(beside: Path, path: Path) -> None:
    try:
        beside.rename(path)
    except OSError as error:
        raise ExportError(f"cannot write {path}: {error.strerror or error}") from error
