"""The picture of one prediction."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from memseg.figures.prediction import prediction_overlay

SIDE = 64


def shown(anomaly_map: np.ndarray, width: int = SIDE, height: int = SIDE) -> np.ndarray:
    image = np.full((3, SIDE, SIDE), 120, np.uint8)
    data = prediction_overlay(image, anomaly_map, 0.5, width, height)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(decoded[..., ::-1])


def test_what_is_abnormal_is_outlined_and_hotter() -> None:
    found = np.zeros((SIDE, SIDE), np.float32)
    found[20:40, 10:30] = 0.9
    picture = shown(found)
    assert picture[20, 20].tolist() == [25, 227, 194]
    assert picture[30, 20].astype(int).sum() > picture[50, 50].astype(int).sum()
    plain = shown(np.full((SIDE, SIDE), 0.4, np.float32))
    assert (plain == plain[0, 0]).all()


def test_a_colour_means_the_same_score_in_every_picture() -> None:
    low, high = np.full((SIDE, SIDE), 0.2, np.float32), np.full((SIDE, SIDE), 0.2, np.float32)
    high[:4, :4] = 0.45
    assert np.array_equal(shown(low)[30, 30], shown(high)[30, 30])


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(200, 100, (32, 64)), (100, 400, (64, 16)), (10_000, 3, (1, 64)), (5, 5, (64, 64))],
)
def test_it_has_the_pictures_proportions(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    assert shown(np.zeros((SIDE, SIDE), np.float32), width, height).shape[:2] == expected
