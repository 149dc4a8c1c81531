"""Any number of images through a model, one batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from memseg.errors import SettingError
from memseg.evaluation.batch import BATCH
from memseg.metrics.image_score import image_score
from memseg.prediction.images import (
    THREADS,
    Picture,
    Source,
    Unreadable,
    find_images,
    read_pictures,
)
from memseg.prediction.model import Model
from memseg.prediction.regions import Regions, find_regions

NORMAL, ANOMALOUS = "normal", "anomalous"
_AHEAD = 2
"""Batches that are decoded while one is in the network."""
_MOST_WAITING = 16
"""Files for each place of a batch that wait, when most cannot be read, for a batch to fill."""


@dataclass(frozen=True)
class Found:
    """What a model says of one picture."""

    score: float
    label: str
    """"anomalous" where the score is at least the image threshold, else "normal"."""
    width: int
    """Of the picture as it is, in pixels."""
    height: int
    regions: Regions
    """Where the map is at least the pixel threshold, whatever the label: that is the score's."""
    anomaly_map: npt.NDArray[np.float32] = field(repr=False, compare=False)
    """(S, S), probabilities."""
    pixels: npt.NDArray[np.uint8] = field(repr=False, compare=False)
    """(3, S, S), what the network saw."""


@dataclass(frozen=True)
class Prediction:
    """One file: what was found, or why it could not be read."""

    file: str
    """Path relative to the folder of images."""
    found: Found | None
    error: str = ""


def predict(
    model: Model, images: str | Source, batch: int = BATCH, threads: int = THREADS
) -> Iterator[Prediction]:
    """A prediction for each file of ``images`` (a folder, a URI or one file), by path.

    ``batch``: images at once; another number may round differently. ``threads`` decode the next
    batches meanwhile. Memory does not grow with the number of images. A file that cannot be read
    is a prediction with an error. Raises EmptyDataError without images, SettingError, and
    StorageDownError where the storage goes away.
    """
    if batch < 1:
        raise SettingError(f"the batch must have at least 1 image, got {batch}")
    source = find_images(images) if isinstance(images, str) else images
    read = read_pictures(source, model.backend.size, threads, _AHEAD * batch + threads)
    return _predictions(model, read, batch)


def _predictions(
    model: Model, read: Iterable[Picture | Unreadable], batch: int
) -> Iterator[Prediction]:
    for group in _groups(read, batch):
        pictures = [one for one in group if isinstance(one, Picture)]
        found = iter(_judge(model, pictures))
        for one in group:
            if isinstance(one, Unreadable):
                yield Prediction(one.file, None, one.error)
            else:
                yield next(found)


def _groups(
    read: Iterable[Picture | Unreadable], batch: int
) -> Iterator[list[Picture | Unreadable]]:
    """Files in order, ``batch`` pictures in each group but the last."""
    group: list[Picture | Unreadable] = []
    pictures = 0
    for one in read:
        group.append(one)
        pictures += isinstance(one, Picture)
        if pictures == batch or len(group) == _MOST_WAITING * batch:
            yield group
            group, pictures = [], 0
    if group:
        yield group


def _judge(model: Model, pictures: list[Picture]) -> list[Prediction]:
    if not pictures:
        return []
    maps = model.backend.maps(np.stack([picture.pixels for picture in pictures]))
    scores = image_score(maps, model.top_pixels)
    return [
        _judged(model, picture, anomaly_map, float(score))
        for picture, anomaly_map, score in zip(pictures, maps, scores)
    ]


def _judged(
    model: Model, picture: Picture, anomaly_map: npt.NDArray[np.float32], score: float
) -> Prediction:
    if not np.isfinite(anomaly_map).all():
        return Prediction(
            picture.file, None,
            f"the network's anomaly map of {picture.file} is not finite: use --precision fp32, or "
            "another version of the model",
        )  # fmt: skip
    label = ANOMALOUS if score >= model.thresholds.image.value else NORMAL
    regions = find_regions(anomaly_map, model.thresholds.pixel.value, picture.width, picture.height)
    found = Found(score, label, picture.width, picture.height, regions, anomaly_map, picture.pixels)
    return Prediction(picture.file, found)
