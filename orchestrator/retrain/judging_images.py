"""Which images champion and challenger are judged by: none that either of them knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from memseg.errors import RegistryError


@dataclass(frozen=True)
class JudgingImages:
    """Names as in results, "screw/train/good/000.png"; sorted as they were given."""

    normal: tuple[str, ...]
    """Held-out images for synthetic validation."""
    known_tests: tuple[str, ...]
    """What lies among the test images now and was a training image before."""
    recorded: bool
    """Whether it is known what each model was trained on. Where it is not, no normal image judges,
    and test images that were training images are not found."""


def judging_images(
    category: str,
    held_out: Iterable[str],
    files: Mapping[str, str],
    train_folder: str,
    seen: Sequence[frozenset[str] | None],
) -> JudgingImages:
    """Pure. By content, so that a renamed or moved image is known again.

    ``held_out``: names of the challenger's held-out images. ``files``: path below the category ->
    sha256, as the folder is now; ``train_folder``: where below it the normal training images are.
    ``seen``: for each model sha256 of what it, or what it started from, was trained on, None
    where that was not recorded. Raises RegistryError for a held-out image that is gone.
    """
    seen_by_any = frozenset[str]().union(*(model for model in seen if model is not None))
    whole = None not in seen
    normal = []
    for name in held_out:
        path = name.removeprefix(f"{category}/")
        if path not in files:
            raise RegistryError(f"{name} was held out, but is not among the images any more")
        if whole and files[path] not in seen_by_any:
            normal.append(name)
    known = tuple(
        f"{category}/{path}"
        for path, sha in files.items()
        if sha in seen_by_any and not path.startswith(f"{train_folder}/")
    )
    return JudgingImages(tuple(normal), known, whole)
