"""Predictions into a folder: tables, heat maps, and what they were made with.

OUT/predictions.parquet, OUT/predictions.csv   a row a file, renamed to their names at the end
OUT/overlays/<path of the image>.png           heat over the picture
OUT/prediction.json                            model, thresholds, precision; written last

A run into a folder with an earlier run's output makes it again; other files are left alone, and
so are overlays of images that have gone since. What has no prediction.json was interrupted.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from memseg.errors import SettingError, StorageError
from memseg.evaluation.batch import BATCH
from memseg.figures.prediction import prediction_overlay
from memseg.packages import package_versions
from memseg.prediction.images import THREADS, Source, find_images
from memseg.prediction.model import Model
from memseg.prediction.stream import ANOMALOUS, Found, Prediction, predict
from memseg.prediction.table import CSV, PARQUET, open_tables
from memseg.storage import check_text, local_path, open_folder

FORMAT = 1
OVERLAYS, ABOUT = "overlays", "prediction.json"
Which = Literal["all", "anomalous", "none"]
_LONGEST_NAME = 255
"""Bytes of a file's name."""
_MOST_OVERLAYS = 16
"""Being drawn and written at once: more would wait in memory."""


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    images: int
    """Files, unreadable ones too."""
    anomalous: int
    unreadable: int
    first_errors: tuple[str, ...]


def predict_into(
    out: str,
    model: Model,
    images: str,
    batch: int = BATCH,
    threads: int = THREADS,
    overlays: Which = "all",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Summary:
    """Predicts all of ``images`` into the folder ``out``; see the module.

    ``overlays``: of which images; ``progress`` is told after each file how many are done, and of
    how many. Raises SettingError for a folder that cannot take it, EmptyDataError without images,
    StorageError where something cannot be written.
    """
    source = find_images(images)
    folder = local_path(check_text(out))
    try:
        _check_out(out, folder, source)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).unlink(missing_ok=True)
        summary = _run(folder, model, source, batch, threads, overlays, progress)
    except OSError as error:
        raise StorageError(f"cannot write into {folder}: {error}; nothing is complete") from error
    about = _about(model, source, batch, overlays, summary)
    open_folder(folder).write_json(ABOUT, about)
    return summary


def _run(
    folder: Path, model: Model, source: Source, batch: int, threads: int, overlays: Which,
    progress: Callable[[int, int], None],
) -> Summary:  # fmt: skip
    counts = {"images": 0, "anomalous": 0, "unreadable": 0}
    errors: list[str] = []
    with (
        open_tables(folder, model.thresholds) as tables,
        _overlays(folder / OVERLAYS, model.thresholds.pixel.value) as draw,
    ):
        for one in predict(model, source, batch, threads):
            tables.add(one)
            counts["images"] += 1
            label = one.found.label if one.found else None
            counts["anomalous"] += label == ANOMALOUS
            if label is None:
                counts["unreadable"] += 1
                if len(errors) < 3:
                    errors.append(one.error)
            if label and (overlays == "all" or (overlays, label) == ("anomalous", ANOMALOUS)):
                draw(one)
            else:  # one of an earlier run would be taken for this one's
                overlay_path(folder / OVERLAYS, one.file).unlink(missing_ok=True)
            progress(counts["images"], len(source.files))
    return Summary(**counts, first_errors=tuple(errors))


@contextmanager
def _overlays(folder: Path, threshold: float) -> Iterator[Callable[[Prediction], None]]:
    """What draws and writes overlays beside inference; all are written when the block ends."""
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1) as pool:

        def draw(one: Prediction) -> None:
            if len(waiting) >= _MOST_OVERLAYS:
                waiting.popleft().result()
            if one.found is not None:
                waiting.append(
                    pool.submit(_write, overlay_path(folder, one.file), one.found, threshold)
                )

        try:
            yield draw
            while waiting:
                waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def overlay_path(folder: Path, file: str) -> Path:
    """Where an image's heat map goes; a name that would be too long is cut and told by its hash.

    So is a folder's that could be a heat map's.
    """
    *above, name = file.split("/")
    path = folder.joinpath(*map(_no_picture, above), f"{name}.png")
    if len(os.fsencode(path.name)) <= _LONGEST_NAME:
        return path
    return path.with_name(f"{path.name[:40]}-{_told(path.name)}.png")


def _no_picture(name: str) -> str:
    return f"{name[:40]}-{_told(name)}" if name.endswith(".png") else name


def _told(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def _write(path: Path, found: Found, threshold: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        prediction_overlay(found.pixels, found.anomaly_map, threshold, found.width, found.height)
    )


def _check_out(out: str, folder: Path, source: Source) -> None:
    """Raises SettingError where the output's pictures would become images; OSError."""
    if "://" in out:
        raise SettingError(f"--out must be a folder on this machine, got {out}: copy it afterwards")
    if not out:
        raise SettingError("--out is empty: give a folder")
    if folder.exists() and not folder.is_dir():
        raise SettingError(f"--out {folder} is a file: give a folder")
    if not source.folder.is_local:
        return
    images, written = Path(source.folder.path).resolve(), folder.resolve()
    if not source.single and images in (written, *written.parents):
        raise SettingError(
            f"--out {folder} lies in the folder of images {images}: heat maps there would be "
            "images of the next run; give a folder beside it"
        )
    if (written / OVERLAYS) in (images, *images.parents):
        raise SettingError(
            f"the images {images} are heat maps of an earlier run into {folder}: give another --out"
        )


def _location(source: Source) -> str:
    folder = source.folder
    return folder.sub(source.files[0].path).location if source.single else folder.location


def _about(
    model: Model, source: Source, batch: int, overlays: Which, summary: Summary
) -> dict[str, Any]:
    counts = asdict(summary)
    del counts["first_errors"]
    return {
        "format": FORMAT,
        "model": {"category": model.category, "version": model.id, "location": model.location},
        "thresholds": asdict(model.thresholds),
        "image_score": "mean of the largest pixel scores",
        "image_score_pixels": model.top_pixels,
        "size": model.backend.size,
        "precision": model.backend.precision,
        "batch_size": batch,
        "threads": model.backend.threads,
        "images": {"location": _location(source), **counts},
        "overlays": overlays,
        "tables": [PARQUET, CSV],
        "warnings": list(model.warnings),
        "packages": package_versions(),
    }
