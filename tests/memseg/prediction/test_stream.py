"""A stream of predictions: what it says, in which order, and how little it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from memseg.data.decoding import decode_image
from memseg.errors import EmptyDataError, SettingError
from memseg.metrics.image_score import image_score
from memseg.prediction.model import Model
from memseg.prediction.policy import Threshold, Thresholds
from memseg.prediction.stream import predict

Draw = Callable[..., list[Path]]
SIDE = 64


@dataclass
class Bright:
    """Stands in for a network: an anomaly map is the red channel."""

    size: int = SIDE
    precision: str = "fp32"
    threads: int = 1
    batches: list[int] = field(default_factory=list)

    def maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        self.batches.append(len(images))
        return images[:, 0].astype(np.float32) / 255


def model_of(backend: Bright, image: float = 0.5, pixel: float = 0.5) -> Model:
    thresholds = Thresholds(Threshold(image, "given"), Threshold(pixel, "given"))
    return Model(backend, "screw", "aaaa0001", "here", 100, thresholds)


def test_scores_are_those_of_evaluation_for_each_file_in_order(
    model: Model, draw: Draw, tmp_path: Path
) -> None:
    paths = draw(7)
    images = np.stack([decode_image(p.read_bytes(), p.name, SIDE) for p in paths])
    maps = np.concatenate([model.backend.maps(images[:4]), model.backend.maps(images[4:])])
    found = list(predict(model, str(tmp_path / "photos"), batch=4))
    assert [one.file for one in found] == [str(p.relative_to(tmp_path / "photos")) for p in paths]
    for one, anomaly_map, score in zip(found, maps, image_score(maps, 100)):
        assert one.found is not None
        assert np.array_equal(one.found.anomaly_map, anomaly_map)
        assert one.found.score == score
        assert (one.found.width, one.found.height) == (80, 48)


def test_at_least_the_threshold_is_anomalous(draw: Draw, tmp_path: Path) -> None:
    draw(1)
    location = str(tmp_path / "photos")
    (one,) = predict(model_of(Bright()), location)
    assert one.found is not None
    score, peak = one.found.score, float(one.found.anomaly_map.max())
    for image, label in ((score, "anomalous"), (float(np.nextafter(score, 1)), "normal")):
        (again,) = predict(model_of(Bright(), image, peak), location)
        assert again.found is not None
        assert again.found.label == label
        assert again.found.regions.count >= 1
    (none,) = predict(model_of(Bright(), score, peak + 1e-3), location)
    assert none.found is not None
    assert none.found.regions.count == 0


def test_unreadable_files_are_rows_in_their_places_and_batches_stay_full(
    draw: Draw, tmp_path: Path
) -> None:
    paths = draw(9)
    for path in (paths[0], paths[4], paths[8]):
        path.write_bytes(b"broken")
    backend = Bright()
    found = list(predict(model_of(backend), str(tmp_path / "photos"), batch=4))
    assert [one.found is None for one in found] == [i in (0, 4, 8) for i in range(9)]
    assert all(bool(one.error) == (one.found is None) for one in found)
    assert backend.batches == [4, 2]


def test_nothing_but_unreadable_files_needs_no_network(draw: Draw, tmp_path: Path) -> None:
    for path in draw(40):
        path.write_bytes(b"")
    backend = Bright()
    found = list(predict(model_of(backend), str(tmp_path / "photos"), batch=2))
    assert len(found) == 40
    assert all("is empty" in one.error for one in found)
    assert backend.batches == []


def test_an_endless_stream_is_not_gathered(
    draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(200)
    from memseg.prediction import images

    read = []
    real = images.read_image
    monkeypatch.setattr(images, "read_image", lambda d, n: read.append(n) or real(d, n))
    found = predict(model_of(Bright()), str(tmp_path / "photos"), batch=4, threads=2)
    for _ in range(3):
        next(found)
    assert len(read) <= 4 + 2 * 4 + 2 + 2


def test_a_map_that_is_not_finite_is_a_row_with_an_error(draw: Draw, tmp_path: Path) -> None:
    draw(2)

    class Diverged(Bright):
        def maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            maps = super().maps(images)
            maps[0, 3, 3] = np.nan
            return maps

    first, second = predict(model_of(Diverged()), str(tmp_path / "photos"))
    assert first.found is None
    assert "not finite" in first.error
    assert second.found is not None


def test_wrong_requests_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="at least 1 image, got 0"):
        predict(model_of(Bright()), str(tmp_path), batch=0)
    with pytest.raises(EmptyDataError):
        predict(model_of(Bright()), str(tmp_path))
