"""Checkpoints of a running trial, in its folder of the workspace."""

from __future__ import annotations

import re
from dataclasses import dataclass

from memseg.storage import Folder

_NAME = re.compile(r"step-(\d{8})\.safetensors$")


@dataclass(frozen=True)
class FolderCheckpoints:
    """A CheckpointStore over a folder: the newest one is kept, whole or not at all."""

    folder: Folder

    def load(self) -> bytes | None:
        """The newest checkpoint's bytes, None where there is none."""
        names = self._names()
        return self.folder.read(names[-1]) if names else None

    def save(self, step: int, data: bytes) -> None:
        """Writes the checkpoint, then deletes those of earlier steps."""
        name = f"step-{step:08d}.safetensors"
        self.folder.write(name, data)
        for older in self._names():
            if older < name:
                self.folder.delete(older)

    def newest_step(self) -> int:
        """The step after which the newest was written; 0 where there is none."""
        return max((int(name[5:13]) for name in self._names()), default=0)

    def discard(self) -> None:
        """Deletes all checkpoints."""
        for name in self._names():
            self.folder.delete(name)

    def _names(self) -> list[str]:
        return [f.path for f in self.folder.files() if _NAME.fullmatch(f.path)]
