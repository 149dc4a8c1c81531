import cv2
import numpy as np

from memseg.data.product import Product
from orchestrator.running.examples import example_sheet, hardest


def test_the_hardest_are_quiet_anomalies_and_loud_normal_images() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.4, 0.8, 0.2])
    labels = np.array([True, True, True, False, False, False])
    assert hardest(scores, labels, 2) == [0, 2, 4, 3]
    assert hardest(scores, np.zeros(6, bool), 1) == [1]


def test_a_sheet_is_a_picture_also_without_masks() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (3, 3, 64, 64)).astype(np.uint8)
    product = Product(
        "connector", images, ("a", "b", "c"), ("1", "2", "3"), images,
        ("t/good/0.png", "t/bent/1.png", "t/bent/2.png"), ("good", "bent", "bent"),
        np.array([False, True, True]), None, "x", "y",
    )  # fmt: skip
    sheet = example_sheet(product, random.random((3, 64, 64)).astype(np.float32), 10)
    picture = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[0] > 3 * 64
