"""What the export command does, by its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from memseg.errors import SettingError
from memseg.storage import Folder
from orchestrator.exporting.images import Images, images_in, tested_images
from orchestrator.exporting.to_folder import export_folder
from orchestrator.registry.registry import Version


def export(
    version: Version,
    kind: str,
    out: str,
    workspace: Folder,
    environ: Mapping[str, str],
    *,
    images: str | None,
    unchecked: bool,
    say: Callable[[str], None],
) -> None:
    """Writes ``version`` to ``out`` as "onnx" or "torch"; ``say`` is told what happens.

    ``images``: a folder to check an ONNX export on; None: the images that it was tested on.
    Raises MemSegError; ExportError where the export does not compute what the model does.
    """
    if "://" in out:
        raise SettingError(f"--out {out}: give a local path, and copy what comes out from there")
    if images is not None and unchecked:
        raise SettingError("--images and --unchecked exclude each other: give one of them")
    if kind == "torch":
        if images is not None or unchecked:
            raise SettingError(
                "--images and --unchecked are for --format onnx: a folder for PyTorch is the "
                "version itself, so there is nothing to compare"
            )
        export_folder(version, out, say)
        return

    def find(size: int) -> Images:
        if images is not None:
            return images_in(images, size)
        return tested_images(version, size, workspace, environ)

    # torch takes seconds to import, and a copied folder needs none.
    from orchestrator.exporting.to_onnx import export_onnx

    export_onnx(version, out, None if unchecked else find, say)
